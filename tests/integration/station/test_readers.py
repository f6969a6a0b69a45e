"""The card reader over a pseudo-terminal: pyserial on one end, the simulated reader on the other."""

import asyncio
import dataclasses
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import date

import pytest
import structlog.testing

from station.ports import hardware
from station.readers import cards, documents, simulator
from tests.unit.station import patience

QUICK = cards.Limits(answer_s=1.0, look_every_s=0.01, first_pause_s=0.02, longest_pause_s=0.1, told_s=0.05)


@pytest.fixture
def desk() -> Iterator[simulator.SimulatedReader]:
    with simulator.simulated() as reader:
        yield reader


@pytest.fixture
def notices() -> list[hardware.Notice]:
    return []


@pytest.fixture
async def reader(desk: simulator.SimulatedReader, notices: list[hardware.Notice]) -> AsyncIterator[cards.CardReader]:
    reader = cards.CardReader(desk.path, QUICK, notices.append)
    await reader.start()
    yield reader
    await reader.close()


async def swiped(reader: cards.CardReader) -> hardware.Scan:
    return await asyncio.wait_for(reader.next(), patience.SECONDS)


async def troubled(reader: cards.CardReader, code: str) -> None:
    await patience.until(lambda: (trouble := reader.health().trouble) and trouble.code == code)


async def well(reader: cards.CardReader) -> None:
    await patience.until(lambda: reader.health().ready)


@pytest.mark.parametrize("kind", simulator.INVENTED)
async def test_every_kind_of_card(
    kind: documents.Kind, desk: simulator.SimulatedReader, reader: cards.CardReader
) -> None:
    """Laid down, it is read once."""
    desk.lay(kind)
    scan = await swiped(reader)
    assert (scan.source, scan.payload, scan.name) == ("id_card", *simulator.INVENTED[kind])
    assert scan.expires == date(2036, 12, 31)


async def test_a_card_is_given_once_until_it_is_lifted(
    desk: simulator.SimulatedReader, reader: cards.CardReader, notices: list[hardware.Notice]
) -> None:
    """One that lies there is not read again; lifted and laid down it is, and the next student's is."""
    desk.lay()
    await swiped(reader)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.next(), 0.3)
    desk.lift()
    await patience.until(lambda: reader.health().details["card"] == "none")
    desk.lay()
    assert (await swiped(reader)).payload == simulator.INVENTED["resident"][0]
    desk.lift()
    desk.lay("hk_macao_taiwan")
    assert (await swiped(reader)).payload == simulator.INVENTED["hk_macao_taiwan"][0]
    assert notices == []


@pytest.mark.parametrize(
    ("fault", "times", "trouble"),
    [
        ("noise", 3, None),
        ("checksum", 2, "garbled"),
        ("cut", 1, "garbled"),
        ("silent", 1, "silent"),
        ("refuse", 2, None),
        ("none", 0, None),
    ],
)
async def test_no_card_is_lost_to_a_disturbed_line(
    fault: str,
    times: int,
    trouble: str | None,
    desk: simulator.SimulatedReader,
    reader: cards.CardReader,
    notices: list[hardware.Notice],
) -> None:
    """The fault is named if it is one, and the card is read all the same."""
    await well(reader)
    desk.fault(fault, times)
    desk.lay()
    assert (await swiped(reader)).payload == simulator.INVENTED["resident"][0]
    await well(reader)
    assert [notice.fault for notice in notices if not notice.recovered] == ([trouble] if trouble else [])
    assert [notice.fault for notice in notices if notice.recovered] == ([trouble] if trouble else [])


async def test_a_card_that_cannot_be_read_is_told_until_it_is_lifted(
    desk: simulator.SimulatedReader, reader: cards.CardReader
) -> None:
    """A broken chip, or a number whose check digit is wrong: lift it; the next one is read."""
    desk.lay(number="360426199101010072")
    await troubled(reader, "reader-card-unreadable")
    desk.lift()
    await well(reader)
    desk.lay()
    assert (await swiped(reader)).payload == simulator.INVENTED["resident"][0]


@pytest.mark.parametrize("broken", ["lengths", "number"])
async def test_what_is_wrong_with_a_card_is_told_until_the_next_one(
    broken: str, desk: simulator.SimulatedReader
) -> None:
    """A reader that finds a card no more once it was read says "none" at once: nobody could read so short a message."""
    reader = cards.CardReader(desk.path, dataclasses.replace(QUICK, told_s=600.0))
    await reader.start()
    desk.fault("lengths", 1 if broken == "lengths" else 0)
    desk.lay(number="360426199101010072" if broken == "number" else None)
    await patience.until(lambda: reader.health().trouble and reader.health().details.get("card") == "none")
    await asyncio.sleep(0.1)
    assert reader.health().trouble
    desk.lay()
    assert (await swiped(reader)).payload == simulator.INVENTED["resident"][0]
    await well(reader)
    await reader.close()


async def test_a_card_that_is_not_held_still_is_told(desk: simulator.SimulatedReader, reader: cards.CardReader) -> None:
    """Three refusals in a row."""
    desk.fault("refuse", 3)
    desk.lay()
    await troubled(reader, "reader-card-unreadable")
    desk.lift()
    await well(reader)


async def test_an_unplugged_reader_is_told(desk: simulator.SimulatedReader, reader: cards.CardReader) -> None:
    """Pulled out, it is looked for until it is back."""
    await well(reader)
    desk.close()
    await troubled(reader, "reader-unplugged")


async def test_nothing_of_a_card_is_said_anywhere(desk: simulator.SimulatedReader) -> None:
    """Through a day of faults neither number nor name is printed, logged, noticed or shown as health."""
    notices: list[hardware.Notice] = []
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        reader = cards.CardReader(desk.path, QUICK, notices.append)
        await reader.start()
        for fault in ("noise", "checksum", "cut", "refuse"):
            desk.lift()
            desk.fault(fault, 2)
            desk.lay()
            scan = await swiped(reader)
        desk.lay(number="360426199101010072")
        await troubled(reader, "reader-card-unreadable")
        said.write(f"{notices} {reader.health()} {scan} {reader!r}")
        await reader.close()
    text = said.getvalue()
    assert "reader-card-unreadable" in text
    for secret in (*simulator.INVENTED["resident"], "360426199101010072"):
        assert secret not in text


@pytest.mark.parametrize("fault", ["lengths", "late", "empty"])
async def test_a_reading_of_wrong_lengths_is_told_and_ends_nothing(
    fault: str, desk: simulator.SimulatedReader, reader: cards.CardReader, notices: list[hardware.Notice]
) -> None:
    """The checksum is right, the lengths are no card's: the line is garbled, and the card laid down again is read."""
    desk.fault(fault, 1)
    desk.lay()
    await patience.until(lambda: notices)
    assert notices[0] == hardware.Notice("card_reader", "garbled", recovered=False)
    await well(reader)
    desk.lift()
    desk.lay()
    assert (await swiped(reader)).payload == simulator.INVENTED["resident"][0]


@pytest.mark.parametrize("fault", ["echo", "status"])
async def test_a_line_that_only_answers_is_no_reader(fault: str, desk: simulator.SimulatedReader) -> None:
    """One that echoes, or says for ever what is neither found nor none, is garbled and never ready."""
    desk.fault(fault, 1_000_000)
    reader = cards.CardReader(desk.path, QUICK)
    await reader.start()
    await troubled(reader, "reader-garbled")
    await patience.until(lambda: (trouble := reader.health().trouble) and trouble.attempts > 2)
    assert not reader.health().ready
    await reader.close()


async def test_what_ended_the_looking_after_is_logged_and_closing_goes_on(desk: simulator.SimulatedReader) -> None:
    """Whatever a driver did not foresee comes out of `run`; `close` says so in the log and raises nothing."""

    class _Broken(cards.CardReader):
        async def _look(self) -> None:
            raise ZeroDivisionError

    reader = _Broken(desk.path, QUICK)
    with pytest.raises(ZeroDivisionError):
        await reader.run()
    with structlog.testing.capture_logs() as logged:
        await reader.close()
    assert [line["event"] for line in logged] == ["device.ended"]
