"""Packing a delivery: a zip on disk, one photo in memory at a time (a few, read ahead), then one upload."""

import asyncio
import csv
import hashlib
import io
import tempfile
import zipfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from gradphoto_contracts.capture import Sha256
from kit import errors, objects
from services.verify.domain import copies

#: Photos fetched at once.
AHEAD = 8
#: Every entry bears this date, so that the same photos give the same bytes.
DATE = (1980, 1, 1, 0, 0, 0)
#: What is packed: the id by which CHSI's answer names it, hash, file. No name and no number of a person.
MANIFEST_COLUMNS = ("图像编号", "SHA-256", "文件")


class Archive:
    """The archives in the object store."""

    def __init__(self, store: objects.Objects) -> None:
        self._store = store

    async def pack(self, key: str, photos: Sequence[copies.Photo]) -> Sha256:
        """See ports.Archive.pack."""
        with tempfile.TemporaryDirectory(prefix="gradphoto-batch-") as folder:
            path = Path(folder) / "batch.zip"
            with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
                archive.writestr(_entry("manifest.csv"), _manifest(photos))
                async for photo, picture in self._pictures(photos):
                    await asyncio.to_thread(archive.writestr, _entry(_file(photo)), picture)
            await self._store.put_file(key, path, "application/zip")
            return await asyncio.to_thread(_sha256, path)

    async def _pictures(self, photos: Sequence[copies.Photo]) -> AsyncIterator[tuple[copies.Photo, bytes]]:
        for start in range(0, len(photos), AHEAD):
            some = photos[start : start + AHEAD]
            pictures = await asyncio.gather(*(self._store.get(photo.photo_key) for photo in some))
            for photo, picture in zip(some, pictures, strict=True):
                if hashlib.sha256(picture).hexdigest() != photo.photo_sha256:
                    raise errors.Conflict("verify-photo-altered", capture_id=str(photo.capture_id))
                yield photo, picture


def _file(photo: copies.Photo) -> str:
    return f"photos/{photo.capture_id}.jpg"


def _entry(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, DATE)


def _manifest(photos: Sequence[copies.Photo]) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(MANIFEST_COLUMNS)
    rows.writerows((str(photo.capture_id), photo.photo_sha256, _file(photo)) for photo in photos)
    return text.getvalue().encode("utf-8-sig")


def _sha256(path: Path) -> Sha256:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
