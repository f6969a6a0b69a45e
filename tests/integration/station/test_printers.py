"""Slips on paper: the simulated receipt printer over TCP, and the system's queue by programs that stand in for CUPS."""

import asyncio
import dataclasses
import os
import re
import termios
import threading
import tty
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from kit import messages
from station import devices
from station.ports import hardware
from station.printers import escpos, ipp, lines, queues, receipts, simulator
from tests.unit.station.patience import until

QUICK = receipts.Limits(answer_s=2.0, slip_s=5.0, look_every_s=0.05, first_pause_s=0.02, longest_pause_s=0.05)


def slip(number: int) -> hardware.Slip:
    return hardware.Slip(f"A{number:03d}", "护理 2020-1 班", "A", datetime(2024, 3, 20, 1, 30, tzinfo=UTC))


def explained(health: hardware.Health) -> str:
    """What the operator reads."""
    assert health.trouble is not None
    return messages.render(health.trouble.code, health.trouble.params)[0]


@pytest.fixture
def roll() -> Iterator[simulator.SimulatedPrinter]:
    with simulator.simulated() as printer:
        yield printer


@pytest.fixture
def notices() -> list[hardware.Notice]:
    return []


@pytest.fixture
async def printer(
    roll: simulator.SimulatedPrinter, notices: list[hardware.Notice]
) -> AsyncIterator[receipts.ReceiptPrinter]:
    printer = receipts.ReceiptPrinter(roll.address, QUICK, notices.append)
    await printer.start()
    yield printer
    await printer.close()


async def test_a_slip_says_the_number_large_and_as_qr(
    roll: simulator.SimulatedPrinter, printer: receipts.ReceiptPrinter
) -> None:
    """Chinese text, the ticket, its QR code; and no name, because there is none to give."""
    await printer.print(slip(17))
    await until(lambda: not printer.waiting)
    (printed,) = roll.printed
    assert printed.qr == "A017"
    assert printed.lines[:3] == ("拍摄号 Ticket", "A017", "护理 2020-1 班")
    assert printed.whole


async def test_paper_out_is_told_and_every_slip_comes(
    roll: simulator.SimulatedPrinter, printer: receipts.ReceiptPrinter, notices: list[hardware.Notice]
) -> None:
    """The roll ends inside the third slip: it is told with what to do, and after the change that one comes whole."""
    roll.sheets = 3
    for number in range(1, 7):
        await printer.print(slip(number))
    await until(lambda: printer.health().trouble)
    assert "缺纸" in explained(printer.health())
    assert "4 张" in explained(printer.health())
    assert [one.qr for one in roll.printed if one.whole] == ["A001", "A002"]
    roll.sheets = 100
    await until(lambda: not printer.waiting)
    assert [one.qr for one in roll.printed if one.whole] == [f"A{number:03d}" for number in range(1, 7)]
    await until(lambda: printer.health().ready)
    assert [(notice.fault, notice.recovered) for notice in notices] == [("paper_out", False), ("paper_out", True)]


async def test_an_open_cover_is_told(roll: simulator.SimulatedPrinter, printer: receipts.ReceiptPrinter) -> None:
    """Closed, it goes on. A slip on its way when the cover opened may come twice, never not at all."""
    roll.cover_open = True
    await printer.print(slip(1))
    await until(lambda: printer.health().trouble)
    assert "盖子" in explained(printer.health())
    roll.cover_open = False
    await until(lambda: not printer.waiting)
    assert {one.qr for one in roll.printed} == {"A001"}


async def test_a_cable_that_is_pulled_is_told(
    roll: simulator.SimulatedPrinter, printer: receipts.ReceiptPrinter, notices: list[hardware.Notice]
) -> None:
    """A broken connection is made anew, and nothing is missing."""
    await printer.print(slip(1))
    await until(lambda: not printer.waiting)
    roll.unplug()
    await until(lambda: notices)
    await printer.print(slip(2))
    await until(lambda: not printer.waiting)
    assert [one.qr for one in roll.printed] == ["A001", "A002"]
    assert [notice.fault for notice in notices] == ["unplugged", "unplugged"]


async def test_a_printer_that_does_not_answer_is_told(roll: simulator.SimulatedPrinter) -> None:
    """Silence is no paper-out."""
    roll.deaf = True
    hasty = receipts.Limits(answer_s=0.2, first_pause_s=0.02, longest_pause_s=0.05)
    printer = receipts.ReceiptPrinter(roll.address, hasty)
    await printer.start()
    await until(lambda: printer.health().trouble)
    assert "没有响应" in explained(printer.health())
    await printer.close()


async def test_a_printer_that_is_off_is_told() -> None:
    """Nobody at the address."""
    with simulator.simulated() as gone:
        address = gone.address
    printer = receipts.ReceiptPrinter(address, QUICK)
    await printer.start()
    await printer.print(slip(1))
    await until(lambda: printer.health().trouble)
    assert "找不到打印机" in explained(printer.health())
    assert printer.waiting == 1
    await printer.close()


@pytest.mark.parametrize("way", ["serial", "device"])
async def test_every_trouble_is_told_on_every_cable(
    way: Literal["serial", "device"], notices: list[hardware.Notice]
) -> None:
    """On a pseudo-terminal, as on TCP: a paper-out is seen and recovered, silence and a pulled cable are told."""
    hasty = dataclasses.replace(QUICK, answer_s=0.5)
    with simulator.simulated(way=way) as roll:
        printer = receipts.ReceiptPrinter(roll.address, hasty, notices.append)
        await printer.start()
        roll.sheets = 2
        for number in (1, 2):
            await printer.print(slip(number))
        await until(lambda: notices)
        roll.sheets = 100
        await until(lambda: not printer.waiting)
        roll.deaf = True
        await until(lambda: len(notices) == 3)
        roll.deaf = False
        await until(lambda: len(notices) == 4)
        roll.unplug()
        await until(lambda: len(notices) == 5)
        await printer.close()
    assert [one.qr for one in roll.printed if one.whole] == ["A001", "A002"]
    faults = ["paper_out", "paper_out", "silent", "silent", "unplugged"]
    assert [(one.fault, one.recovered) for one in notices] == list(zip(faults, [False, True] * 3, strict=False))


async def test_a_device_that_never_answers_keeps_no_thread() -> None:
    """A read of a silent /dev/usb/lp0 waits in the driver: asked so, it ends in time, and with it the program."""
    with simulator.simulated(way="device") as roll:
        roll.deaf = True
        printer = receipts.ReceiptPrinter(roll.address, receipts.Limits(answer_s=0.1, longest_pause_s=0.05))
        await printer.start()
        await until(lambda: (trouble := printer.health().trouble) and trouble.code == "printer-silent")
        await printer.close()
        threads = [one for one in threading.enumerate() if one.name.startswith("printer")]
        await until(lambda: not any(one.is_alive() for one in threads))


async def test_a_line_that_takes_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A printer that is busy for ever: what is written has no room, and the writing ends in time."""
    monkeypatch.setattr(lines, "_PATIENCE_S", 0.2)
    master, slave = os.openpty()
    tty.setraw(slave)
    line = lines.opened(f"device:{os.ttyname(slave)}")
    with pytest.raises(TimeoutError):
        line.write(bytes(1_000_000))
    line.close()
    os.close(master)
    os.close(slave)


async def test_a_cable_pulled_under_the_writing_is_told(
    roll: simulator.SimulatedPrinter, printer: receipts.ReceiptPrinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """termios's error is no OSError; the printer is unplugged, and looked for again."""

    def gone(_line: lines.TcpLine, _content: bytes) -> None:
        raise termios.error(5, "Input/output error")

    with monkeypatch.context() as pulled:
        pulled.setattr(lines.TcpLine, "write", gone)
        await until(lambda: (trouble := printer.health().trouble) and trouble.code == "printer-unplugged")
    await printer.print(slip(1))
    await until(lambda: not printer.waiting)
    assert [one.qr for one in roll.printed] == ["A001"]


@pytest.mark.parametrize("where", ["tcp:127.0.0.1:port", "tcp:127.0.0.1:70000", "tcp:a..b", "serial:/dev/null@fast"])
async def test_a_setting_that_names_nothing_ends_nothing(where: str) -> None:
    """No number where one belongs: there is no such printer, which is told."""
    printer = receipts.ReceiptPrinter(where, QUICK)
    await printer.start()
    await until(lambda: (trouble := printer.health().trouble) and trouble.code == "printer-unplugged")
    await printer.close()


class _Careless(receipts.ReceiptPrinter):
    """Prints as programs do that never ask back."""

    def _print_one(self, slip: hardware.Slip) -> None:
        assert self._line is not None
        self._line.write(escpos.slip(slip, 1))

    def _demand_well(self) -> None:
        if self._line is None:
            super()._demand_well()


async def test_without_asking_back_slips_are_lost(roll: simulator.SimulatedPrinter) -> None:
    """Negative control: the slip in which the paper ended never comes whole."""
    roll.sheets = 2
    careless = _Careless(roll.address, QUICK)
    await careless.start()
    for number in (1, 2):
        await careless.print(slip(number))
    await until(lambda: not careless.waiting)
    await until(lambda: len(roll.printed) == 2)
    roll.sheets = 100
    await asyncio.sleep(0.2)
    await careless.close()
    assert [one.qr for one in roll.printed if one.whole] == ["A001"]


#: `lp`, `lpstat` and `cupsenable` over a folder: a queue that pauses at a paper-out and stays paused, as CUPS does.
_CUPS = """#!/bin/sh
cd "$(dirname "$0")"
case "$(basename "$0")" in
lp) n=$(ls job-* 2>/dev/null | wc -l); cat > "$(printf 'job-%04d' "$n")"; echo "request id is slips-$n (1 file(s))" ;;
cupsenable) test -e no-permission && exit 1; rm -f paused ;;
lpstat)
  test -e missing && exit 1
  case "$*" in
  *-o*) test -e pending && echo "slips-1 crew 1024 Wed" ;;
  *)
    if test -e paused; then echo "printer slips disabled since Wed -"; else echo "printer slips is idle."; fi
    test -e empty && echo "	Alerts: media-empty-error" || echo "	Alerts: none" ;;
  esac ;;
esac
exit 0
"""


@pytest.fixture
def cups(tmp_path: Path) -> Path:
    for name in ("lp", "lpstat", "cupsenable"):
        program = tmp_path / name
        program.write_text(_CUPS)
        program.chmod(0o755)
    return tmp_path


async def queue(cups: Path, noticed: devices.Noticed = devices.unnoticed) -> queues.QueuePrinter:
    printer = queues.QueuePrinter("slips", noticed, cups, look_every_s=0.02, ended=lambda _job: ipp.JobState.COMPLETED)
    await printer.start()
    return printer


def jobs(cups: Path) -> list[str]:
    """The QR codes of the jobs, in their order."""
    found = [re.search(rb"1P0([A-Z0-9]+)\x1d", path.read_bytes()) for path in sorted(cups.glob("job-*"))]
    return [match[1].decode() for match in found if match]


async def test_slips_go_to_the_system_s_queue(cups: Path) -> None:
    """One job a slip, in order."""
    printer = await queue(cups)
    for number in (1, 2):
        await printer.print(slip(number))
    await until(lambda: not printer.waiting)
    await printer.close()
    assert jobs(cups) == ["A001", "A002"]


async def test_a_queue_that_paused_at_a_paper_out_goes_on(cups: Path) -> None:
    """Paper-out is told; when it is back the queue is resumed, which CUPS does not do."""
    notices: list[hardware.Notice] = []
    for name in ("empty", "paused"):
        (cups / name).touch()
    printer = await queue(cups, notices.append)
    await printer.print(slip(1))
    await until(lambda: printer.health().trouble)
    assert "缺纸" in explained(printer.health())
    (cups / "empty").unlink()
    await until(lambda: not printer.waiting)
    await printer.close()
    assert not (cups / "paused").exists()
    assert jobs(cups) == ["A001"]
    assert [notice.fault for notice in notices] == ["paper_out", "paper_out"]


async def test_a_job_that_is_aborted_is_told_and_given_again(cups: Path) -> None:
    """`lpstat` does not tell it from one that was printed: CUPS is asked. One trouble, over when a slip is out."""
    notices: list[hardware.Notice] = []
    well: list[int] = []
    printer = queues.QueuePrinter(
        "slips",
        notices.append,
        cups,
        look_every_s=0.02,
        ended=lambda job: ipp.JobState.COMPLETED if job in well else ipp.JobState.ABORTED,
    )
    await printer.start()
    for number in (1, 2):
        await printer.print(slip(number))
    await until(lambda: len(jobs(cups)) == 3)
    assert "中止" in explained(printer.health())
    assert printer.waiting == 2
    well += range(1000)
    await until(lambda: not printer.waiting)
    await until(lambda: printer.health().ready)
    await printer.close()
    said = jobs(cups)
    assert said == ["A001"] * (len(said) - 1) + ["A002"]
    assert [(one.fault, one.recovered) for one in notices] == [("aborted", False), ("aborted", True)]


async def test_a_job_that_somebody_took_out_is_not_given_again(cups: Path) -> None:
    """Nor is one of which nobody knows how it ended, as when CUPS keeps no history."""
    ends = iter([ipp.JobState.PROCESSING, ipp.JobState.CANCELED, None])
    printer = queues.QueuePrinter("slips", programs=cups, look_every_s=0.02, ended=lambda _job: next(ends))
    await printer.start()
    for number in (1, 2):
        await printer.print(slip(number))
    await until(lambda: not printer.waiting)
    await printer.close()
    assert jobs(cups) == ["A001", "A002"]


async def test_a_queue_that_is_gone_holds_no_more_than_the_last_slips(cups: Path) -> None:
    """As a receipt printer does; what was given up was told aloud long ago."""
    (cups / "missing").touch()
    printer = await queue(cups)
    for number in range(receipts.MOST_WAITING + 50):
        await printer.print(slip(number))
    assert printer.waiting == receipts.MOST_WAITING
    await until(lambda: printer.health().trouble)
    (cups / "missing").unlink()
    await until(lambda: len(jobs(cups)) > 1)
    await printer.close()
    assert jobs(cups)[0] == "A050"


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (
            b"\x01\x01\x00\x00\x00\x00\x00\x01\x02\x23\x00\x09job-state\x00\x04\x00\x00\x00\x08\x03",
            ipp.JobState.ABORTED,
        ),
        (b"\x01\x01\x04\x06\x00\x00\x00\x01\x01\x47\x00\x12attributes-charset\x00\x05utf-8\x03", None),
        (b"", None),
        (b"\x01\x01\x00\x00\x00\x00\x00\x01\x02\x23\x00\x09job-", None),
    ],
    ids=["aborted", "not found", "nothing", "cut"],
)
async def test_cups_is_asked_how_a_job_ended(told: bytes, state: ipp.JobState | None, tmp_path: Path) -> None:
    """One request over its socket; whatever comes that is no answer says nothing."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        assert length is not None
        asked.append(await reader.readexactly(int(length[1])))
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(told) + told)
        writer.close()

    place = tmp_path / "cups.sock"
    async with await asyncio.start_unix_server(answer, place):
        assert await asyncio.to_thread(ipp.job_state, 12, [tmp_path / "none", place]) == state
    assert b"ipp://localhost/jobs/12" in asked[0]
    assert ipp.job_state(12, [tmp_path / "none"]) is None


async def test_a_queue_that_may_not_be_resumed_is_told(cups: Path) -> None:
    """The operator reads which queue, and that the slips wait."""
    for name in ("paused", "no-permission"):
        (cups / name).touch()
    printer = await queue(cups)
    await printer.print(slip(1))
    await until(lambda: printer.health().trouble)
    assert "slips 已暂停" in explained(printer.health())
    await printer.close()
    assert jobs(cups) == []
