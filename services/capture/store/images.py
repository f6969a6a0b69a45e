"""Images: the object store and the photo standard as capture's handlers want them."""

import asyncio
import hashlib

from kit import errors, objects
from photospec import composition, decoding, inspection, profiles
from services.capture.domain import photos


class Objects(objects.Objects):
    """The kit's object store, with hashes of what truly lies there."""

    async def sha256(self, key: str) -> str | None:
        # Asked first, because a frame's first upload finds nothing: no error and no body on that path.
        if not await self.exists(key):
            return None
        try:
            data = await self.get(key)
        except errors.NotFound:
            return None
        return await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())


class Inspector:
    """photospec in threads: at most `at_once` images at a time, none on the event loop."""

    def __init__(self, at_once: int) -> None:
        self._limiter = asyncio.Semaphore(at_once)

    async def inspect(self, original: bytes, profile: str, *, compose_refused: bool) -> photos.Inspection:
        async with self._limiter:
            return await asyncio.to_thread(_inspect, original, profile, compose_refused)


def _inspect(original: bytes, profile_name: str, compose_refused: bool) -> photos.Inspection:
    profile = profiles.load(profile_name)
    try:
        report = inspection.inspect(original, profile)
    except decoding.UnreadableImage:
        return photos.Inspection(verdict="reject", rules=(), profile=profile_name, photo=None, readable=False)
    wanted = report.verdict != "reject" or compose_refused
    return photos.Inspection(
        verdict=report.verdict,
        rules=report.reasons,
        profile=f"{report.profile} {report.profile_version}",
        photo=_compose(original, profile, report) if wanted else None,
    )


def _compose(original: bytes, profile: profiles.Profile, report: inspection.Report) -> bytes | None:
    try:
        return composition.compose(original, profile, report)
    except composition.NotComposable:
        # The rule that forbids it is among the report's reasons already.
        return None
