"""Images: the object store and the photo standard as capture's handlers want them."""

import asyncio
import functools
import hashlib
from datetime import timedelta
from importlib import metadata
from pathlib import Path

import photospec
from kit import clock, errors, objects
from photospec import composition, decoding, inspection, profiles
from services.capture import ports
from services.capture.domain import photos


class Objects(objects.Objects):
    """The kit's object store, with hashes of what truly lies there. Originals are held for `held` of real time."""

    def __init__(self, url: str, public_url: str | None = None, *, held: timedelta = timedelta(days=400)) -> None:
        super().__init__(url, public_url)
        self._held = held

    async def found(self, key: str, size_bytes: int) -> ports.Found | None:
        # Asked first, because a frame's first upload finds nothing: no error and no body on that path. And because an
        # upload's address cannot say how much it takes: what is longer than was said is not read.
        stat = await self.stat(key)
        if stat is None:
            return None
        if stat.size != size_bytes:
            return ports.Found(stat.size, None, stat.version)
        try:
            data = await self.get(key, stat.version, at_most=size_bytes)
        except errors.NotFound:
            return None
        return ports.Found(stat.size, await asyncio.to_thread(_hash, data), stat.version)

    async def keep(self, key: str, version: str | None) -> bool:
        # The store reckons in real time, whatever a simulated clock says.
        return await self.hold(key, version, clock.SystemClock().now() + self._held)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Inspector:
    """photospec in threads: at most `at_once` images at a time, none on the event loop."""

    def __init__(self, at_once: int) -> None:
        self._limiter = asyncio.Semaphore(at_once)

    async def inspect(self, original: bytes, profile: str, *, compose_refused: bool) -> photos.Inspection:
        async with self._limiter:
            return await asyncio.to_thread(_inspect, original, profile, compose_refused)

    async def readable(self, data: bytes) -> bool:
        """Whether the bytes are a picture that can be decoded to its end."""
        async with self._limiter:
            return await asyncio.to_thread(_readable, data)


def _readable(data: bytes) -> bool:
    try:
        decoding.decode(data, decoding.check(data), 8)
    except decoding.UnreadableImage:
        return False
    return True


def _inspect(original: bytes, profile_name: str, compose_refused: bool) -> photos.Inspection:
    profile = profiles.load(profile_name)
    try:
        # As the desk judges it: a picture that happens to have a finished photo's size is a capture all the same.
        report = inspection.inspect(original, profile, stage="capture")
        wanted = report.verdict != "reject" or compose_refused
        photo, forbidden = _compose(original, profile, report) if wanted else (None, None)
    except decoding.UnreadableImage:
        return photos.Inspection(verdict="reject", rules=(), profile=profile_name, photo=None, readable=False)
    beyond = forbidden is not None and forbidden not in report.reasons  # found while composing: no file of its size
    return photos.Inspection(
        verdict="reject" if beyond else report.verdict,
        rules=(*report.reasons, str(forbidden)) if beyond else report.reasons,
        profile=f"{report.profile} {report.profile_version}",
        photo=photo,
        maker=maker(),
    )


@functools.cache
def maker() -> str:
    """The program that inspects and composes: its release, and a mark of the very source of the photo standard."""
    source = sorted(path for path in Path(photospec.__path__[0]).rglob("*") if path.suffix in {".py", ".toml", ".json"})
    mark = hashlib.sha256(b"\0".join(path.read_bytes() for path in source)).hexdigest()[:12]
    return f"gradphoto {metadata.version('gradphoto')} photospec {mark}"


def _compose(original: bytes, profile: profiles.Profile, report: inspection.Report) -> tuple[bytes | None, str | None]:
    """The finished photo, or the rule that forbids it."""
    try:
        return composition.compose(original, profile, report), None
    except composition.NotComposable as error:
        return None, error.rule_id
