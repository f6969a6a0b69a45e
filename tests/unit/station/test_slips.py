"""Slips: who gets one, and what becomes of those that wait when the agent dies or the disk takes nothing."""

import asyncio
import errno
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog.testing

from kit import messages
from kit.errors import NotFound, Unavailable
from station import devices, settings
from station.handlers import queue, sessions, slips
from station.ports import hardware
from station.printers import kept
from tests.unit.station.fakes import Bench
from tests.unit.station.patience import until


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await sessions.open_session(bench.work)
    return bench


def slip(number: int) -> hardware.Slip:
    return hardware.Slip(f"A-{number:04d}", "2024-1", "A", datetime(2024, 3, 20, 1, 30, tzinfo=UTC))


class Printer(devices.AlwaysReady):
    """Prints when there is paper."""

    device: hardware.DeviceKind = "printer"

    def __init__(self) -> None:
        self.taken: list[hardware.Slip] = []
        self.printed: list[hardware.Slip] = []

    @property
    def waiting(self) -> int:
        return len(self.taken)

    async def print(self, slip: hardware.Slip) -> None:
        self.taken.append(slip)

    def feed(self, sheets: int = 100) -> None:
        self.printed += self.taken[:sheets]
        del self.taken[:sheets]


class Killed(BaseException):
    """The process is no more."""


async def test_a_number_that_is_issued_gets_one_slip(bench: Bench) -> None:
    """A second scan of the same code prints none; the button prints another; without a printer nothing is missed."""
    await queue.check_in(bench.work, "scan-4")
    with pytest.raises(Unavailable, match="printer-none"):
        await slips.print_slip(bench.work, None)
    printer = bench.work.printer = Printer()
    for scan in ("scan-0", "scan-0", "nonsense"):
        await queue.check_in(bench.work, scan)
    assert [(slip.ticket, slip.class_label, slip.desk_code) for slip in printer.taken] == [("A-0002", "2024-1", "A")]
    assert await slips.print_slip(bench.work, None) == "A-0002"
    assert await slips.print_slip(bench.work, "A-0001") == "A-0001"
    with pytest.raises(NotFound, match="desk-ticket-unknown"):
        await slips.print_slip(bench.work, "B-0001")
    assert [slip.ticket for slip in printer.taken] == ["A-0002", "A-0002", "A-0001"]


async def test_slips_that_wait_outlive_the_agent(bench: Bench, tmp_path: Path) -> None:
    """What was not printed is printed by the next life, once, unless its holder needs none any more."""
    numbers = [(await queue.check_in(bench.work, f"scan-{place}")).ticket for place in range(4)]
    every = [slips.slip_of(bench.work, number) for number in numbers if number]
    first = Printer()
    before = kept.KeptSlips(first, tmp_path / "slips.json", lambda _number: True)
    await before.start()
    for slip in every:
        await before.print(slip)
    first.feed(1)
    await before.close()
    second = Printer()
    after = kept.KeptSlips(second, tmp_path / "slips.json", lambda number: number != "A-0003")
    await after.start()
    assert second.taken == [every[1], every[3]]
    second.feed()
    await after.close()
    third = Printer()
    last = kept.KeptSlips(third, tmp_path / "slips.json", lambda _number: True)
    await last.start()
    await last.close()
    assert third.taken == []


def on_disk(path: Path) -> kept.KeptSlips:
    """The memory of a printer without paper."""
    return kept.KeptSlips(Printer(), path, lambda _number: True)


@pytest.mark.parametrize("write", [1, 2, 3])
async def test_no_slip_is_lost_to_a_kill_while_a_life_begins(
    write: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at any write of the file, the next life has all five."""
    path = tmp_path / "slips.json"
    first = on_disk(path)
    await first.start()
    for number in range(5):
        await first.print(slip(number))
    await first.close()
    writes = 0
    write_whole = settings.write_whole

    def killed(path: Path, content: bytes) -> None:
        nonlocal writes
        writes += 1
        if writes == write:
            raise Killed
        write_whole(path, content)

    with monkeypatch.context() as dying:
        dying.setattr(settings, "write_whole", killed)
        second = on_disk(path)
        try:
            await second.start()
            await second.close()
        except Killed:
            pass
    third = on_disk(path)
    await third.start()
    assert third.waiting == 5
    await third.close()


@pytest.mark.parametrize("error", [Unavailable("station-disk-full"), OSError(errno.EIO, "x")])
async def test_a_disk_that_takes_nothing_is_told_and_the_slip_printed(
    error: Exception, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Check-in is not refused for it; with room again what waits is on the disk, and the message is gone."""
    path = tmp_path / "slips.json"
    printer = Printer()
    memory = bench.work.printer = kept.KeptSlips(printer, path, lambda _number: True)
    await memory.start()

    def full(_path: Path, _content: bytes) -> None:
        raise error

    with monkeypatch.context() as disk, structlog.testing.capture_logs() as logged:
        disk.setattr(settings, "write_whole", full)
        assert (await queue.check_in(bench.work, "scan-0")).outcome == "issued"
        assert [one.ticket for one in printer.taken] == ["A-0001"]
        trouble = memory.health().trouble
        assert trouble is not None
        assert "1 张号条" in messages.render(trouble.code, trouble.params)[0]
        printer.feed()
        await asyncio.sleep(0)
    assert [line["event"] for line in logged] == ["printer.slips-not-kept"]
    await memory.print(slip(2))
    await until(lambda: memory.health().trouble is None)
    await memory.close()
    again = on_disk(path)
    await again.start()
    assert again.waiting == 1
    await again.close()


@pytest.mark.parametrize("content", [b"", b"{", b'[{"ticket": 1}]', b"\xff"])
async def test_a_file_that_cannot_be_read_is_put_aside_and_told(content: bytes, tmp_path: Path) -> None:
    """The desk begins; the file lies beside, and the operator reads what to do."""
    path = tmp_path / "slips.json"
    path.write_bytes(content)
    memory = on_disk(path)
    await memory.start()
    trouble = memory.health().trouble
    assert trouble is not None
    assert "补打" in messages.render(trouble.code, trouble.params)[0]
    assert path.with_name("slips.json.unreadable").read_bytes() == content
    await memory.print(slip(1))
    await memory.close()
    assert b"A-0001" in path.read_bytes()
