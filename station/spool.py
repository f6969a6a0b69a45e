"""The spool: each frame in one file, sealed with AES-256-GCM together with what the journal will say of it.

A frame whose writer died between spool and journal is therefore no unknown picture: the next start journals it.
"""

import asyncio
import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from pydantic import TypeAdapter

from gradphoto_contracts import ids
from kit import crypto, logs
from kit.errors import NotFound, Unavailable
from station import settings
from station.domain import facts

_LABEL = TypeAdapter(facts.FrameJournalled)
_SUFFIX, _PART = ".frame", ".part"


class FileSpool:
    """Frames as files in one folder. `reserve_bytes` of the disk are left for the journal and the system."""

    def __init__(
        self,
        folder: Path,
        sealer: crypto.Sealer,
        reserve_bytes: int,
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        """`refused` hears of every frame that the disk did not take."""
        self._folder, self._sealer, self._reserve, self._refused = folder, sealer, reserve_bytes, refused
        folder.mkdir(parents=True, exist_ok=True)
        for part in folder.glob(f"*{_PART}"):
            part.unlink()

    def free_bytes(self) -> int:
        """What is left of the disk."""
        return shutil.disk_usage(self._folder).free

    @property
    def full(self) -> bool:
        """Whether less than the reserve is left."""
        return self.free_bytes() < self._reserve

    def demand_room(self) -> None:
        """Raise Unavailable when the disk has less than its reserve left."""
        if self.full:
            raise Unavailable("station-disk-full")

    async def put(self, frame: facts.FrameJournalled, jpeg: bytes) -> None:
        """Seal and fsync; nothing is left when it fails."""
        await asyncio.to_thread(self._put, frame, jpeg)

    async def get(self, capture_id: ids.CaptureId) -> bytes:
        """The frame's bytes. Raises Tampered when they are not what was put or not to be read, NotFound without any."""
        return (await asyncio.to_thread(self._open, capture_id))[1]

    async def label(self, capture_id: ids.CaptureId) -> facts.FrameJournalled:
        """What the journal should say of the frame."""
        return _LABEL.validate_json((await asyncio.to_thread(self._open, capture_id))[0])

    async def held(self) -> list[ids.CaptureId]:
        """The frames that are here, oldest first."""
        return [ids.CaptureId(UUID(path.stem)) for path in sorted(self._folder.glob(f"*{_SUFFIX}"))]

    async def wipe(self, capture_id: ids.CaptureId) -> None:
        """Remove a frame that the server has. Again changes nothing; one that is held stays until the next start."""
        try:
            await asyncio.to_thread(self._path(capture_id).unlink, missing_ok=True)
        except OSError as error:
            logs.get().warning("spool.frame-not-wiped", capture_id=str(capture_id), reason=_reason(error))

    def _path(self, capture_id: ids.CaptureId) -> Path:
        return self._folder / f"{capture_id}{_SUFFIX}"

    def _put(self, frame: facts.FrameJournalled, jpeg: bytes) -> None:
        label = _LABEL.dump_json(frame)
        plain = len(label).to_bytes(4, "big") + label + jpeg
        sealed = self._sealer.seal(plain, _aad(frame.capture_id))
        part = self._folder / f"{frame.capture_id}{_PART}"
        try:
            _write(part, sealed)
            part.replace(self._path(frame.capture_id))
            _sync_folder(self._folder)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            if error.errno in settings.FULL:
                self._refused()
                raise Unavailable("station-disk-full") from error
            raise

    def _open(self, capture_id: ids.CaptureId) -> tuple[bytes, bytes]:
        try:
            sealed = self._path(capture_id).read_bytes()
        except FileNotFoundError:
            raise NotFound("spool-frame-missing", capture_id=str(capture_id)) from None
        except OSError as error:
            logs.get().warning("spool.frame-unreadable", capture_id=str(capture_id), reason=_reason(error))
            raise crypto.Tampered from error
        plain = self._sealer.open(sealed, _aad(capture_id))
        end = 4 + int.from_bytes(plain[:4], "big")
        return plain[4:end], plain[end:]


def _aad(capture_id: ids.CaptureId) -> bytes:
    return f"spool {capture_id}".encode()


def _reason(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "OSError")


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows cannot open a folder to sync it; NTFS journals the rename
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
