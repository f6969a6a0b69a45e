"""What the agent is told from outside, and where it keeps its things."""

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

from gradphoto_contracts import ids
from kit import crypto
from kit.errors import Conflict, Unavailable
from kit.settings import Deployment

#: What is sealed on a station's disk.
Purpose = Literal["spool", "journal", "pack", "hall", "export"]
HostPort = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^(\[[0-9a-fA-F:]+\]|[^:\s/]+):\d{1,5}$")]

#: What the system says when a disk, a quota or a file may hold no more.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Settings(BaseSettings):
    """Environment variables `GRADPHOTO_…`."""

    model_config = SettingsConfigDict(env_prefix="GRADPHOTO_", extra="ignore", frozen=True)

    deployment: Deployment = "cluster"
    clock_file: Path | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    #: So much of the disk is left free; below it the shutter is refused.
    station_reserve_mb: int = 256

    @property
    def reserve_bytes(self) -> int:
        """What is left free of the disk."""
        return self.station_reserve_mb * 1024 * 1024

    #: Originals go up no faster than this; the campaign's policy may set a tighter limit. None: as fast as they can.
    station_upload_kbit_s: Annotated[int, Field(ge=64)] | None = None
    #: How often the desks of a hall exchange what they know, and how long a desk that is silent counts as heard. One
    #: whose program has ended refuses connections: that is known at once.
    station_hall_beat_s: Annotated[float, Field(gt=0, le=30)] = 1.0
    station_hall_lease_s: Annotated[float, Field(gt=0, le=300)] = 3.0
    #: `host:port` where a Prometheus on another machine may read this desk's figures; the door itself is loopback only.
    station_metrics: Annotated[str, StringConstraints(pattern=r"^[^:]+:\d{1,5}$")] | None = None


class Devices(BaseModel):
    """What hangs on this desk's cables, as `--camera`, `--reader` and `--printer` name it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    camera: str = "virtual"
    reader: str = "none"
    printer: str = "none"


class HallSettings(BaseModel):
    """How this desk reaches the others of its hall. `listen` is `host:port`, port 0 any free one.

    `address` is what others are told, where it is not the address bound to; `peers` are addresses typed in by hand,
    for desks that never met the server.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    listen: HostPort = "127.0.0.1:8471"
    address: HostPort | None = None
    peers: tuple[HostPort, ...] = ()


class Enrolled(BaseModel):
    """Which desk this station serves: the server's answer to its one-time code, and the devices chosen here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    station_id: ids.StationId
    campaign_id: ids.CampaignId
    desk_id: ids.DeskId
    desk_code: str
    group_code: str
    campus_code: str
    server: str
    camera: str
    reader: str = "none"
    printer: str = "none"
    #: The public key (PEM) under whose signature desk packs are taken, and under no other.
    pack_key: str
    #: For whom this station's keys are closed on a stick (`kit.boxes`); empty with a server that told none.
    recovery_key: str = ""

    @property
    def devices(self) -> Devices:
        """The devices chosen."""
        return Devices(camera=self.camera, reader=self.reader, printer=self.printer)


@dataclass(frozen=True)
class Directory:
    """A station's directory. Keys are readable by their owner alone."""

    root: Path

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    @property
    def journal(self) -> Path:
        return self.root / "journal.sqlite3"

    @property
    def pack(self) -> Path:
        return self.root / "desk-pack.sealed"

    @property
    def skew(self) -> Path:
        return self.root / "clock-skew.json"

    @property
    def camera(self) -> Path:
        return self.root / "camera"

    @property
    def ballast(self) -> Path:
        """Room for the start on a full disk. Holds nothing."""
        return self.root / "ballast"

    @property
    def slips(self) -> Path:
        """Slips that wait for paper. They hold no name."""
        return self.root / "slips.json"

    @property
    def door(self) -> Path:
        return self.root / "door.json"

    @property
    def port(self) -> Path:
        """The door's port of last time: a page that is open finds the station again after a restart."""
        return self.root / "door-port"

    @property
    def studio(self) -> Path:
        """What backdrop and lamps looked like at the last test shot. Holds no picture."""
        return self.root / "studio.json"

    @property
    def hall(self) -> Path:
        """How the other desks of the hall are reached; absent: this desk stands by itself."""
        return self.root / "hall.json"

    @property
    def hall_list(self) -> Path:
        """The server's list of the hall's stations."""
        return self.root / "hall-list.json"

    @property
    def hall_addresses(self) -> Path:
        """Where the other desks were last heard to listen: a desk that restarts without a server finds them again."""
        return self.root / "hall-addresses.json"

    @property
    def hall_log(self) -> Path:
        return self.root / "hall.sqlite3"

    def hall_settings(self) -> HallSettings | None:
        """How the other desks are reached, if anybody has said so."""
        try:
            return HallSettings.model_validate_json(self.hall.read_bytes())
        except FileNotFoundError:
            return None

    def save_hall(self, hall: HallSettings | None) -> None:
        """Join a hall, or (None) leave it."""
        if hall is None:
            self.hall.unlink(missing_ok=True)
        else:
            write_whole(self.hall, hall.model_dump_json(indent=2).encode())

    def make(self) -> None:
        """Make the directory and its keys, unless they are there."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.keys.mkdir(mode=0o700, exist_ok=True)
        if not (self.keys / "station.pem").exists():
            private, public = crypto.new_key()
            write_whole(self.keys / "station.pub.pem", public.encode())
            write_secret(self.keys / "station.pem", private.encode())
        if not (self.keys / "spool.key").exists():
            write_secret(self.keys / "spool.key", os.urandom(crypto.KEY_BYTES).hex().encode())

    def private_pem(self) -> str:
        """The station's own Ed25519 key."""
        return (self.keys / "station.pem").read_text("ascii")

    def public_pem(self) -> str:
        """What the server verifies this station's requests with."""
        return (self.keys / "station.pub.pem").read_text("ascii")

    def sealer(self, purpose: Purpose = "spool") -> crypto.Sealer:
        """What seals the frames, the journal or the desk pack on this disk: a key each, from the station's secret."""
        return crypto.Sealer({f"{purpose}-1": self.sealing_key(purpose)}, f"{purpose}-1")

    def sealing_key(self, purpose: Purpose) -> bytes:
        """The key of one purpose, and of no other."""
        secret = bytes.fromhex((self.keys / "spool.key").read_text("ascii"))
        return crypto.derive(secret, "station", purpose)

    def console_key(self) -> bytes:
        """What signs the cookies of the desk console; made when first wanted."""
        path = self.keys / "console.key"
        if not path.exists():
            write_secret(path, os.urandom(crypto.KEY_BYTES).hex().encode())
        return bytes.fromhex(path.read_text("ascii"))

    @property
    def is_enrolled(self) -> bool:
        """Whether this station serves a desk."""
        return (self.root / "station.json").exists()

    def enrolled(self) -> Enrolled:
        """Which desk is served. Raises Conflict while the station is not enrolled."""
        try:
            return Enrolled.model_validate_json((self.root / "station.json").read_bytes())
        except FileNotFoundError:
            raise Conflict("station-not-enrolled", directory=str(self.root)) from None

    def save_enrolled(self, enrolled: Enrolled) -> None:
        """Note which desk is served."""
        write_whole(self.root / "station.json", json.dumps(enrolled.model_dump(mode="json"), indent=2).encode())


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with _told_when_full(part), os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def write_secret_somehow(path: Path, content: bytes) -> None:
    """As `write_secret`; on a full disk over the file that is there, whose place nobody takes. Then it may be torn."""
    try:
        write_secret(path, content)
    except Unavailable:
        if not path.exists():
            raise
        with path.open("r+b") as file:
            file.write(content)
            file.truncate()
            os.fsync(file.fileno())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one. Raises Unavailable when the disk is full."""
    part = path.with_name(f"{path.name}.part")
    with _told_when_full(part), part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


@contextlib.contextmanager
def _told_when_full(part: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        if error.errno in FULL:
            raise Unavailable("station-disk-full") from error
        raise
