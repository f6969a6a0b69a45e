"""Faces compared on the desk: SFace on a thread of its own, the last two seats in memory, nothing on the disk.

What is remembered is overwritten as soon as it is not needed: when the seat after next is taken, when somebody sits
who has not consented or has withdrawn, when the session is sealed, when the process ends.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from kit import logs
from photospec import decoding, likeness
from station.domain import facts

#: References of those who are checked in and not yet photographed; a queue is shorter.
_MOST_REFERENCES = 300


class SFaceFaces:
    """The faces of this seat and of the one before, by ticket, and what they are to be compared with."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="faces")
        self._here: tuple[str, likeness.Remembered] | None = None
        self._before: tuple[str, likeness.Remembered] | None = None
        self._references: dict[str, likeness.Remembered] = {}

    async def compare(self, ticket: str, jpeg: bytes) -> dict[facts.Against, float]:
        """Cosines of the frame's face with the last ticket's, an earlier one of its own, and the reference.

        Empty where there is nothing to compare with, or no face in the frame.
        """
        face = await self._remember(jpeg)
        if face is None:
            return {}
        found: dict[facts.Against, float] = {}
        if self._here and self._here[0] == ticket:
            found["own"] = self._here[1].cosine(face)
            self._here[1].forget()
        else:
            self._move_on()
        self._here = (ticket, face)
        if self._before:
            found["previous"] = self._before[1].cosine(face)
        if ticket in self._references:
            found["reference"] = self._references[ticket].cosine(face)
        return found

    async def expect(self, ticket: str, picture: bytes) -> bool:
        """Hold the face on the student's card or of their admission until the ticket is done; False without a face."""
        face = await self._remember(picture)
        if face is None:
            return False
        self.drop(ticket)
        self._references[ticket] = face
        while len(self._references) > _MOST_REFERENCES:
            self.drop(next(iter(self._references)))
        return True

    def drop(self, ticket: str) -> None:
        """The ticket is done, or its holder has withdrawn: nothing of the reference is left."""
        if reference := self._references.pop(ticket, None):
            reference.forget()

    def forget(self) -> None:
        """Somebody sits whose face is not looked at: who comes next is compared with nobody."""
        for held in (self._here, self._before):
            if held:
                held[1].forget()
        self._here = self._before = None

    def close(self) -> None:
        """Forget everybody and end the thread."""
        self.forget()
        for ticket in list(self._references):
            self.drop(ticket)
        self._thread.shutdown()

    def _move_on(self) -> None:
        if self._before:
            self._before[1].forget()
        self._before, self._here = self._here, None

    async def _remember(self, picture: bytes) -> likeness.Remembered | None:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, likeness.remember, picture)
        except decoding.UnreadableImage as problem:
            logs.get().info("faces.unreadable", code=problem.code)
            return None
