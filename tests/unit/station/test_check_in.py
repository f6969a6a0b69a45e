"""Check-in's answers: each case has its own, with words and a way on; gear beside it."""

import asyncio
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from kit import messages
from kit.errors import Conflict, Invalid
from station import devices, gear
from station.api import answers
from station.console import conditions, helper_mode
from station.domain import facts
from station.handlers import frames, queue, sessions
from station.ports import hardware
from tests.unit.station.fakes import OTHER_CLASS_ID, START, Bench
from tests.unit.station.patience import until


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await sessions.open_session(bench.work)
    return bench


def planned_for(bench: Bench, monkeypatch: pytest.MonkeyPatch, *days: int) -> None:
    """The class's slots begin so many days from today, at 07:30 of the hall: in UTC that is the day before."""
    begins = [START.replace(hour=23, minute=30) - timedelta(days=1) + timedelta(days=day) for day in days]
    pack = bench.packs.current()
    classes = [one.model_copy(update={"starts_at": tuple(begins)}) for one in pack.classes]
    monkeypatch.setattr(bench.packs, "current", lambda: pack.model_copy(update={"classes": tuple(classes)}))


def turned_away(bench: Bench) -> UUID:
    """The stamp of whoever was."""
    assert bench.work.turned_away is not None
    return bench.work.turned_away.stamp


async def photographed(bench: Bench) -> None:
    await queue.seat(bench.work, (await queue.check_in(bench.work, "scan-0")).ticket)
    shot = await frames.press_shutter(bench.work)
    await frames.decide(bench.work, shot.frame.capture_id, "keep", None)


async def test_every_answer_is_its_own(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown, another 学籍, photographed, another class, another day, a card where codes are used: six answers."""
    await photographed(bench)
    bench.packs.change(bench.students[1], eligible=False)
    bench.packs.change(bench.students[2], class_id=OTHER_CLASS_ID)
    given = {scan: await queue.check_in(bench.work, scan) for scan in ("nonsense", "scan-0", "scan-1", "scan-2")}
    given["card"] = await queue.check_in(bench.work, "440308199901101512", "id_card")
    planned_for(bench, monkeypatch, 1)
    given["scan-3"] = await queue.check_in(bench.work, "scan-3")
    assert {scan: answer.outcome for scan, answer in given.items()} == {
        "nonsense": "unknown_code",
        "scan-0": "already_photographed",
        "scan-1": "not_eligible",
        "scan-2": "other_class",
        "card": "card_not_used",
        "scan-3": "other_day",
    }
    assert {answer.ticket for answer in given.values()} == {None}
    said = [messages.render(answer.code, answers.told(answer)) for answer in given.values()]
    assert len({zh for zh, _ in said}) == len({en for _, en in said}) == 6
    assert "另一个采集码" in said[2][0], "who has two 学籍 is told to show the other code"


async def test_a_class_of_another_day_is_told_which(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest of its days, by the hall's calendar; on the day itself the student is let in."""
    planned_for(bench, monkeypatch, 1, 7)
    answer = await queue.check_in(bench.work, "scan-0")
    assert (answer.outcome, answer.day) == ("other_day", date(2024, 3, 21))
    assert "03-21" in answers.checked_in(answer).zh
    bench.clock.advance(24 * 3600)
    assert (await queue.check_in(bench.work, "scan-0")).outcome == "issued"


@pytest.mark.parametrize("reason", ["other_class", "other_day"])
async def test_somebody_in_charge_lets_in_whom_the_plan_keeps_out(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """With role and reason, both journalled; not without a reason, not twice, and nobody else than who stood there."""
    if reason == "other_class":
        bench.packs.change(bench.students[0], class_id=OTHER_CLASS_ID)
    else:
        planned_for(bench, monkeypatch, 3)
    assert (await queue.check_in(bench.work, "scan-0")).outcome == reason
    stamp = turned_away(bench)
    with pytest.raises(Invalid, match="desk-override-needs-reason"):
        await queue.admit_turned_away(bench.work, stamp, "registrar", "  ")
    assert (await queue.admit_turned_away(bench.work, stamp, "registrar", "moved")).outcome == "issued"
    (issued,) = [fact for fact in bench.journal.facts if isinstance(fact, facts.TicketIssued)]
    assert (issued.student_id, issued.manual_role, issued.manual_reason) == (bench.students[0], "registrar", "moved")
    with pytest.raises(Conflict, match="desk-nobody-turned-away"):
        await queue.admit_turned_away(bench.work, stamp, "registrar", "moved")


async def test_the_one_who_was_asked_for_is_let_in_or_nobody(bench: Bench) -> None:
    """Another who is turned away while role and reason are chosen does not take the place of the first."""
    bench.packs.change(bench.students[0], class_id=OTHER_CLASS_ID)
    bench.packs.change(bench.students[1], class_id=OTHER_CLASS_ID)
    await queue.check_in(bench.work, "scan-0")
    first = turned_away(bench)
    await queue.check_in(bench.work, "scan-1")
    with pytest.raises(Conflict, match="desk-another-turned-away"):
        await queue.admit_turned_away(bench.work, first, "registrar", "moved")
    assert not [fact for fact in bench.journal.facts if isinstance(fact, facts.TicketIssued)]
    second = turned_away(bench)
    await queue.check_in(bench.work, "scan-1")
    answer = await queue.admit_turned_away(bench.work, second, "registrar", "moved")
    assert (answer.outcome, answer.student_id) == ("issued", bench.students[1])


async def test_whom_a_helper_turns_away_is_not_before_the_operator(bench: Bench) -> None:
    """The operator lets in whom the console turned away, whatever is scanned at a helper's page meanwhile."""
    for student in bench.students[:3]:
        bench.packs.change(student, class_id=OTHER_CLASS_ID)
    await queue.check_in(bench.work, "scan-0")
    first = turned_away(bench)
    assert (await helper_mode._check_in(bench.work, "scan-1")).outcome == "other_class"
    assert (await helper_mode._check_in(bench.work, "nonsense")).outcome == "unknown_code"
    answer = await queue.admit_turned_away(bench.work, first, "registrar", "moved")
    assert (answer.outcome, answer.student_id) == ("issued", bench.students[0])
    await helper_mode._check_in(bench.work, "scan-2")
    assert bench.work.turned_away is None


@pytest.mark.parametrize("scan", ["nonsense", "scan-0", "scan-1"])
async def test_nobody_else_is_let_in_that_way(bench: Bench, scan: str) -> None:
    """An unknown code, a photo that is there already and one who is not to be captured stay where they are."""
    await photographed(bench)
    bench.packs.change(bench.students[1], eligible=False)
    assert (await queue.check_in(bench.work, scan)).ticket is None
    with pytest.raises(Conflict, match="desk-nobody-turned-away"):
        await queue.admit_turned_away(bench.work, uuid4(), "crew_lead", "asks")


class Reader(devices.AlwaysReady):
    """Gives what is laid on it."""

    device: hardware.DeviceKind = "card_reader"

    def __init__(self) -> None:
        self.cards: asyncio.Queue[hardware.Scan] = asyncio.Queue()

    async def next(self) -> hardware.Scan:
        return await self.cards.get()


async def test_a_swipe_goes_the_way_of_a_scan(bench: Bench) -> None:
    """The reader's card is checked in by the same handler; an expired card is told and goes on; a problem is told."""
    reader = Reader()
    desk = gear.Gear(reader, None)
    desk.serve(bench.work)
    reading = asyncio.gather(*(act() for act in desk.background()))
    await reader.cards.put(hardware.Scan("code", "scan-0", expires=date(2020, 1, 1)))
    await until(lambda: desk.arrival is not None)
    told = conditions.arrival(desk.arrival)
    assert told is not None
    assert (told.outcome, list(bench.desk.waiting)) == ("issued", ["A-0001"])
    assert "有效期" in told.zh
    before = desk.arrival
    bench.packs.missing = True
    await reader.cards.put(hardware.Scan("code", "scan-1"))
    await until(lambda: desk.arrival is not before)
    told = conditions.arrival(desk.arrival)
    assert told is not None
    assert (told.outcome, told.code) == ("problem", "desk-pack-missing")
    reading.cancel()
    await asyncio.wait({reading})
