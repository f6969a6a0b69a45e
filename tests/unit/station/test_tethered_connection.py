"""A tethered camera over one connection: what a fault does to the pictures that were asked for."""

import asyncio
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pytest

from kit.errors import Unavailable
from station import devices
from station.cameras.tethered import bodies, limits, memory, tray, troubles, wire
from station.cameras.tethered.connection import Connection
from station.cameras.tethered.link import Link, Lost

PICTURE = b"\xff\xd8\xff\xda\x00\x02 a picture of nobody \xff\xd9"
FILES = [bodies.Entry("/DCIM/100TEST", f"DSC_000{number}.JPG", len(PICTURE), 1_700_000_000) for number in (1, 2)]
OPEN = wire.Message("open", asdict(bodies.Identity("cam-1", "D-1", numbered=True)), wire.listing([]))
ALIVE = wire.Message("alive", {"looked_ns": 1})
#: The card's door was opened while a file was fetched, or the file is none that the camera hands over.
NO_STORE = bodies.LibraryError(-1, bodies.PTP_STORE_NOT_AVAILABLE).fault
UNSUPPORTED = bodies.LibraryError(bodies.NOT_SUPPORTED).fault


class Script:
    """Says what is written, one message after another; then it is gone."""

    def __init__(self) -> None:
        self.to_say: deque[wire.Message] = deque()
        self.asked: list[wire.Message] = []

    async def receive(self, _patience_s: float) -> wire.Message:
        if not self.to_say:
            raise Lost("unplugged")
        return self.to_say.popleft()

    async def send(self, message: wire.Message) -> None:
        self.asked.append(message)

    async def end(self) -> None:
        """Nothing is held."""

    @property
    def fetched(self) -> list[str]:
        """The names that were asked for."""
        return [message.fields["name"] for message in self.asked if message.says == "fetch"]


class Bench:
    """One connection after another to the same desk."""

    def __init__(self, path: Path) -> None:
        self.watch = devices.Watch("camera", devices.unnoticed)
        self.tray, self.memory = tray.Tray(), memory.Memory(path)
        self.script = Script()

    async def hear(self, *messages: wire.Message, believed_s: float = 60.0) -> str:
        """What the camera says over a new connection; the fault that ends it."""
        self.script = Script()
        self.script.to_say.extend(messages)
        told = troubles.Troubles(self.watch)
        link, eager = cast(Link, self.script), limits.Limits(first_pause_s=0.0, believed_s=believed_s)
        connection = Connection(link, self.memory, self.tray, told, eager)
        with pytest.raises(Lost) as lost:
            await connection.serve()
        await connection.end()
        return lost.value.fault

    def counts(self) -> list[int]:
        return [exposure.frame_counter for exposure in self.tray.waiting()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "memory.jsonl")


def added(entry: bodies.Entry) -> wire.Message:
    return wire.Message("added", {**asdict(entry), "told_ns": 1, "looked_ns": 1})


def comes(entry: bodies.Entry) -> wire.Message:
    return wire.Message("file", {**asdict(entry), "now": asdict(entry)}, PICTURE)


def fault(kind: str, step: str = "fetch") -> wire.Message:
    fields: dict[str, Any] = {"fault": kind, "detail": "", "holder": "", "step": step}
    return wire.Message("fault", fields)


@pytest.mark.parametrize("kind", [NO_STORE, UNSUPPORTED, "focus"])
async def test_a_file_that_was_refused_once_is_asked_for_again(bench: Bench, kind: str) -> None:
    """And those behind it come over the same connection."""
    one, two = FILES
    await bench.hear(OPEN, added(one), added(two), fault(kind), comes(one), comes(two))
    assert bench.script.fetched == [one.name, one.name, two.name]
    assert bench.counts() == [1, 2]
    assert bench.watch.trouble is None


async def test_a_file_that_is_always_refused_does_not_keep_the_others(bench: Bench) -> None:
    """It is told, its count stays free for it, and the next picture is fetched."""
    one, two = FILES
    await bench.hear(OPEN, added(one), added(two), *[fault(UNSUPPORTED)] * 4, ALIVE)
    assert bench.script.fetched == [one.name] * 4 + [two.name]
    assert bench.watch.trouble is not None
    assert (bench.watch.trouble.code, bench.watch.trouble.params) == ("camera-file-empty", {"file": one.name})


async def test_a_card_that_stays_out_of_reach_ends_the_connection(bench: Bench) -> None:
    """The press is given back with the reason; the next connection finds the picture where it lies."""
    one = FILES[0]
    press = bench.tray.press = tray.Press(asyncio.get_running_loop().create_future())
    ended = await bench.hear(OPEN, ALIVE, added(one), *[fault(NO_STORE)] * 4, ALIVE)
    assert (ended, bench.script.fetched) == ("full", [one.name] * 4)
    assert press.claimed == one
    with pytest.raises(Unavailable, match="camera-card-full"):
        await press.answer
    bench.tray.press = None
    listing = wire.Message("open", OPEN.fields, wire.listing([one]))
    await bench.hear(listing, comes(one))
    assert bench.counts() == [1]


@pytest.mark.parametrize("kind", ["full", "unsupported", "focus"])
async def test_what_ends_the_driver_keeps_its_name(bench: Bench, kind: str) -> None:
    """At opening, or by itself: it is no answer to what was asked, and no broken cable."""
    assert await bench.hear(fault(kind, "")) == kind
    assert await bench.hear(OPEN, fault(kind, "")) == kind


@pytest.mark.parametrize("kind", ["frozen", "io"])
async def test_a_camera_that_was_opened_again_is_not_well_yet(bench: Bench, kind: bodies.Fault) -> None:
    """One that hangs at each shutter can be opened in between: a picture ends it, or that it answers for a while."""
    told = troubles.Troubles(bench.watch)
    one = FILES[0]
    told.tell(kind)
    await bench.hear(OPEN, ALIVE)
    assert (bench.watch.trouble and bench.watch.trouble.fault, bench.watch.health().ready) == (kind, False)
    await bench.hear(OPEN, ALIVE, added(one), comes(one))
    assert (bench.watch.trouble, bench.watch.health().ready) == (None, True)
    told.tell(kind)
    await bench.hear(OPEN, ALIVE, believed_s=0.0)
    assert (bench.watch.trouble, bench.watch.health().ready) == (None, True)


async def test_what_a_camera_says_anew_is_not_over_with_what_was(bench: Bench) -> None:
    """Trouble of this connection stays, however long the camera has answered."""
    troubles.Troubles(bench.watch).tell("full")
    await bench.hear(OPEN, fault("full", "trigger"), ALIVE, believed_s=0.0)
    assert bench.watch.trouble is not None
    assert (bench.watch.trouble.fault, bench.watch.trouble.attempts) == ("full", 1)


@pytest.mark.parametrize("kind", ["unplugged", "busy"])
async def test_a_camera_that_could_be_opened_is_there_and_free(bench: Bench, kind: bodies.Fault) -> None:
    """These are over as it is opened."""
    troubles.Troubles(bench.watch).tell(kind)
    await bench.hear(OPEN)
    assert (bench.watch.trouble, bench.watch.health().ready) == (None, True)


async def test_a_body_that_cannot_be_released_says_so(bench: Bench) -> None:
    """Not that it has no live view."""
    press = bench.tray.press = tray.Press(asyncio.get_running_loop().create_future())
    await bench.hear(OPEN, ALIVE, fault(UNSUPPORTED, "trigger"))
    with pytest.raises(Unavailable, match="camera-unsupported"):
        await press.answer
