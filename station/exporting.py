"""A dead desk's work on a stick: what the server has not received, sealed as it was, signed by the station's key.

The key to it is closed in a box for the server: whoever finds the stick reads nothing of it. The station's directory is
only read; exported again, the same stick is made again.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from gradphoto_contracts import ids
from kit import auth, boxes, clock, crypto, documents
from kit.errors import Conflict
from station import journal, settings, spool
from station.domain import facts, outgoing
from station.domain.desk import Desk

FORMAT = 1
#: A message of a desk goes before what refers to it.
ORDER: tuple[outgoing.Kind, ...] = ("checkin", "release", "consent", "capture", "drift", "session")
_ALL = 10_000_000


@dataclass(frozen=True)
class Exported:
    """What lies on the stick now. `undecided`: frames that nobody decided on; `damaged`: frames that do not open.

    `lost`: rows of the journal that do not open; `history` False: what happened at the desk is not known any more.
    """

    folder: Path
    messages: int
    frames: int
    undecided: tuple[str, ...]
    damaged: tuple[str, ...]
    lost: int = 0
    history: bool = True


@dataclass
class _Book:
    """What could be read of a journal. Without its history, frames are known by what the spool says of them."""

    happened: list[facts.Fact] = field(default_factory=list)
    pending: list[outgoing.Message] = field(default_factory=list)
    #: Frames that the server was told of, or is to be.
    told: set[UUID] = field(default_factory=set)
    lost: int = 0
    history: bool = True


async def export(directory: settings.Directory, target: Path) -> Exported:
    """Write everything that the server has not received. Raises Conflict while the station runs, or is not enrolled."""
    enrolled = directory.enrolled()
    if not enrolled.recovery_key:
        raise Conflict("export-without-recovery-key")
    book = await _read(directory)
    desk, pending = Desk(enrolled.desk_code, book.happened), book.pending
    held = spool.FileSpool(directory.spool, directory.sealer(), 0)
    damaged = await _take_in_spooled(desk, held)
    left = [capture_id for capture_id in desk.undecided if capture_id not in book.told]
    undecided = [_undecided(desk, capture_id) for capture_id in left]
    folder = target / f"gradphoto-{enrolled.desk_code}-{enrolled.station_id}"
    files = list(_write_messages(directory, enrolled, folder, [*pending, *undecided]))
    wanted = {str(message.key) for message in [*pending, *undecided] if message.kind == "capture"}
    frames = [path for path in sorted(directory.spool.glob("*.frame")) if path.stem in wanted or path.stem in damaged]
    files += [_copy(path, folder) for path in frames]
    _write_manifest(directory, enrolled, folder, files)
    tickets = tuple(desk.frames[capture_id].taken.ticket or str(capture_id) for capture_id in left)
    messages = len(pending) + len(undecided)
    return Exported(folder, messages, len(frames), tickets, tuple(damaged), book.lost, book.history)


async def _read(directory: settings.Directory) -> _Book:
    """The journal as far as it opens: one bad row costs that row, or the history, and not what is to be sent."""
    read, book = _Book(), journal.SqliteJournal(directory.journal, directory.sealer("journal"))
    try:
        await book.open()
        try:
            try:
                read.happened = await book.history()
            except journal.Damaged as problem:
                read.history, read.lost = False, int(problem.params["rows"])
            read.told = await book.told("capture")
            read.pending = [one.message for one in await book.pending(_ALL)]
            read.lost += book.unreadable
        finally:
            await book.close()
    except journal.Damaged:  # no database any more
        read.history = False
    return read


async def _take_in_spooled(desk: Desk, held: spool.FileSpool) -> list[str]:
    """Frames whose writer died before the journal knew them belong to the desk too; those that do not open are told."""
    damaged = []
    for capture_id in await held.held():
        try:
            label = await held.label(capture_id)
        except crypto.Tampered:
            damaged.append(str(capture_id))
            continue
        if capture_id not in desk.frames:
            desk.apply(label)
    return damaged


def _undecided(desk: Desk, capture_id: ids.CaptureId) -> outgoing.Message:
    """Nobody said what becomes of the frame: it is kept as nobody's, and its number is told to a person."""
    now = desk.frames[capture_id].taken.shutter_at
    decided = facts.FrameDecided(capture_id, "unbound", "station-died", now)
    (message,) = outgoing.messages(desk, [decided])
    return replace(message, after=None)


def _write_messages(
    directory: settings.Directory, enrolled: settings.Enrolled, folder: Path, messages: list[outgoing.Message]
) -> Iterator[dict[str, Any]]:
    stamp, sealer = auth.Stamp(directory.private_pem(), documents.EXPORT_MESSAGE), directory.sealer("export")
    for message in messages:
        kind, key, text = message.kind, str(message.key), json.dumps(message.body)
        signature = stamp.sign(documents.brought(enrolled.station_id, kind, key, text))
        whole = json.dumps({"kind": kind, "key": key, "text": text, "signature": signature}).encode()
        name = f"messages/{kind}-{key}.sealed"
        yield _write(folder, name, sealer.seal(whole, name.encode()), kind=kind, key=key)


def _copy(path: Path, folder: Path) -> dict[str, Any]:
    return _write(folder, f"frames/{path.name}", path.read_bytes(), kind="frame", key=path.stem)


def _write(folder: Path, name: str, content: bytes, *, kind: str, key: str) -> dict[str, Any]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    digest = hashlib.sha256(content).hexdigest()
    return {"name": name, "kind": kind, "key": key, "sha256": digest, "size_bytes": len(content)}


def _write_manifest(
    directory: settings.Directory, enrolled: settings.Enrolled, folder: Path, files: list[dict[str, Any]]
) -> None:
    keys = {"spool": directory.sealing_key("spool").hex(), "export": directory.sealing_key("export").hex()}
    manifest = {
        "format": FORMAT,
        "station_id": str(enrolled.station_id),
        "campaign_id": str(enrolled.campaign_id),
        "desk_code": enrolled.desk_code,
        "exported_at": clock.SystemClock().now().isoformat(),
        "keys": boxes.close(enrolled.recovery_key, json.dumps(keys).encode(), documents.keys_of(enrolled.station_id)),
        "files": files,
    }
    content = json.dumps(manifest, indent=1).encode()
    signature = auth.Stamp(directory.private_pem(), documents.EXPORT).sign(content)
    _write(folder, "manifest.json", content, kind="manifest", key="")
    _write(folder, "manifest.sig", signature.encode(), kind="manifest", key="")
