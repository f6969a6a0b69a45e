"""A stick taken in: its keys asked of the server, each file checked, each message brought in the dead desk's name.

Nothing is kept here. Taken in again, every frame is still on the server once.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol
from uuid import UUID

from pydantic import BaseModel

from kit import boxes, crypto, documents
from kit.errors import Invalid, Problem
from station import exporting
from station.domain import outgoing


class Server(Protocol):
    """Capture's doors for what another desk brings. Each raises a Problem with the server's code when it refuses."""

    def open_keys(self, station_id: str, body: dict[str, Any]) -> str: ...
    def ask_upload(self, station_id: str, body: dict[str, Any]) -> dict[str, Any]: ...
    def upload(self, url: str, jpeg: bytes) -> None: ...
    def bring(self, station_id: str, kind: str, key: str, body: dict[str, Any]) -> None: ...


@dataclass(frozen=True)
class File:
    """What became of a file of the stick: `ok`, `missing`, `damaged`, `refused`; `code` says why."""

    name: str
    state: str
    code: str = ""


@dataclass
class Imported:
    """What became of a stick."""

    station_id: str
    desk_code: str
    files: list[File] = field(default_factory=list)
    #: Frames that the server has now, by their capture ids.
    frames: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return all(one.state == "ok" for one in self.files)


class _Format(BaseModel):
    format: int


class _Entry(BaseModel):
    name: str
    kind: outgoing.Kind | Literal["frame"]
    key: UUID
    sha256: str


class _Manifest(_Format):
    station_id: UUID
    desk_code: str
    keys: str
    files: list[_Entry]


@dataclass(frozen=True)
class _Stick:
    folder: Path
    manifest: dict[str, Any]
    keys: dict[str, str]

    def read(self, entry: dict[str, Any]) -> bytes:
        """A file's bytes, as they were written; raises Invalid when they are not."""
        try:
            content: bytes = (self.folder / entry["name"]).read_bytes()
        except OSError:
            raise Invalid("import-file-missing", file=entry["name"]) from None
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise Invalid("import-file-damaged", file=entry["name"])
        return content

    def sealer(self, name: str) -> crypto.Sealer:
        return crypto.Sealer({f"{name}-1": bytes.fromhex(self.keys[name])}, f"{name}-1")


def sticks(folder: Path) -> list[Path]:
    """The exports in a folder: it is one itself, or holds some."""
    if (folder / "manifest.json").exists():
        return [folder]
    return sorted(path.parent for path in folder.glob("gradphoto-*/manifest.json"))


def take_in(folder: Path, server: Server, told: Callable[[int, int], None] = lambda _done, _all: None) -> Imported:
    """Bring a stick's messages and frames to the server. Raises a Problem when nothing of it can be believed.

    `told` hears after each message how many are done, and of how many.
    """
    stick = _opened(folder, server)
    done = Imported(stick.manifest["station_id"], stick.manifest["desk_code"])
    frames = {entry["key"]: entry for entry in stick.manifest["files"] if entry["kind"] == "frame"}
    messages = [entry for entry in stick.manifest["files"] if entry["kind"] != "frame"]
    messages.sort(key=lambda entry: exporting.ORDER.index(entry["kind"]))
    for number, entry in enumerate(messages, 1):
        done.files += _bring(stick, server, entry, frames.get(entry["key"]), done)
        told(number, len(messages))
    looked_at = {one.name for one in done.files}
    done.files += [_looked(stick, entry) for entry in frames.values() if entry["name"] not in looked_at]
    return done


def _opened(folder: Path, server: Server) -> _Stick:
    try:
        content = (folder / "manifest.json").read_bytes()
        signature = (folder / "manifest.sig").read_text("ascii")
        told = _Format.model_validate_json(content)
        if told.format != exporting.FORMAT:
            raise Invalid("import-format-unknown", version=str(told.format))
        station_id = str(_Manifest.model_validate_json(content).station_id)
    except (OSError, ValueError):
        raise Invalid("import-not-a-stick", folder=folder.name) from None
    manifest = json.loads(content)
    opener = boxes.Opener()
    asked = {"manifest": content.decode("utf-8", "replace"), "signature": signature, "recipient": opener.public}
    keys = json.loads(opener.open(server.open_keys(station_id, asked), documents.keys_of(UUID(station_id))))
    return _Stick(folder, manifest, keys)


def _bring(
    stick: _Stick, server: Server, entry: dict[str, Any], frame: dict[str, Any] | None, done: Imported
) -> Iterator[File]:
    station_id = stick.manifest["station_id"]
    try:
        message = json.loads(stick.sealer("export").open(stick.read(entry), entry["name"].encode()))
    except (Invalid, crypto.Tampered) as problem:
        yield _bad(entry, problem)
        return
    if message["kind"] == "capture":
        try:
            _upload(stick, server, json.loads(message["text"]), frame, message["key"])
            if frame:
                yield File(frame["name"], "ok")
        except (Problem, crypto.Tampered) as problem:
            yield _bad(frame or entry, problem)
            return
    try:
        body = {"text": message["text"], "signature": message["signature"]}
        server.bring(station_id, message["kind"], message["key"], body)
    except Problem as problem:
        yield File(entry["name"], "refused", problem.code)
        return
    if message["kind"] == "capture":
        done.frames.append(message["key"])
    yield File(entry["name"], "ok")


def _upload(stick: _Stick, server: Server, body: dict[str, Any], frame: dict[str, Any] | None, capture_id: str) -> None:
    asked = {"capture_id": capture_id, "sha256": body["sha256"], "size_bytes": body["size_bytes"]}
    place = server.ask_upload(stick.manifest["station_id"], asked)
    if place["exists"]:
        return
    if frame is None:
        raise Invalid("import-file-missing", file=f"frames/{capture_id}.frame")
    plain = stick.sealer("spool").open(stick.read(frame), f"spool {capture_id}".encode())
    jpeg = plain[4 + int.from_bytes(plain[:4], "big") :]
    if hashlib.sha256(jpeg).hexdigest() != body["sha256"]:
        raise Invalid("import-file-damaged", file=frame["name"])
    server.upload(place["url"], jpeg)


def _looked(stick: _Stick, entry: dict[str, Any]) -> File:
    """A frame that no message speaks of: whether it is whole is all that can be said."""
    try:
        stick.sealer("spool").open(stick.read(entry), f"spool {entry['key']}".encode())
    except (Invalid, crypto.Tampered) as problem:
        return _bad(entry, problem)
    return File(entry["name"], "refused", "import-frame-without-message")


def _bad(entry: dict[str, Any], problem: Problem) -> File:
    states = {"import-file-missing": "missing", "import-file-damaged": "damaged", "sealed-data-unreadable": "damaged"}
    return File(entry["name"], states.get(problem.code, "refused"), problem.code)
