"""What the operator sees: names as the campaign's mode allows, ways out that are really open, words for everything."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradphoto_contracts import ids
from kit import messages
from kit.errors import Conflict
from photospec import decoding
from station import previews
from station.cameras import portraits
from station.console import sights
from station.domain import facts, resolving, rules
from station.domain.desk import Desk
from station.handlers import calibration, frames, queue, sessions
from tests.unit.station.fakes import Bench, shown

AT = datetime(2026, 6, 1, tzinfo=UTC)
_NUMBERS = itertools.count(1)


def _id() -> UUID:
    return UUID(int=next(_NUMBERS))


def _desk(tickets: int, *, seated: bool) -> Desk:
    desk = Desk("A", [facts.SessionOpened(ids.SessionId(_id()), AT, "camera", 0)])
    for place in range(1, tickets + 1):
        student = ids.StudentId(_id())
        desk.apply(rules.issue_ticket(desk, student, None, ids.CheckinId(_id()), AT + timedelta(seconds=place)))
    for fact in rules.seat(desk, None, _id, AT) if seated else []:
        desk.apply(fact)
    return desk


def _frame(desk: Desk, counter: int) -> list[facts.Fact]:
    pressed = desk.pressed
    frame = facts.FrameJournalled(
        capture_id=pressed.capture_id if pressed else ids.CaptureId(_id()),
        sha256="0" * 64,
        size_bytes=1,
        ticket=pressed.ticket if pressed else None,
        checkin_id=pressed.checkin_id if pressed else None,
        student_id=pressed.student_id if pressed else None,
        camera_serial="camera",
        frame_counter=counter,
        monotonic_ns=0,
        shutter_at=AT,
    )
    return rules.take_in(desk, frame, _id)


def _suspecting(sign: facts.Sign) -> Desk:
    """A desk that suspects drift of this sign, in the way in which it comes about."""
    desk = _desk(3, seated=sign.startswith("frame"))
    if sign == "ticket_skipped":
        happened = rules.seat(desk, "A-0003", _id, AT)
    elif sign == "frame_missing":
        desk.apply(rules.press(desk, _id, AT))
        happened = _frame(desk, 3)
    elif sign == "frame_unexpected":
        happened = _frame(desk, 1)
    else:
        happened = [facts.DriftSuspected(ids.DriftId(_id()), sign, "A-0002", "A-0001", AT)]
    for fact in happened:
        desk.apply(fact)
    assert desk.drift
    assert desk.drift.sign == sign
    return desk


@pytest.mark.parametrize(
    ("mode", "shown"), [("capture_code", None), ("student_no", "王*明"), ("id_card", "王*明"), ("campus_card", "王*明")]
)
async def test_a_name_is_shown_only_where_the_mode_allows_one(mode: Any, shown: str | None) -> None:
    """In capture-code mode a desk shows the class and no name, even if a pack should carry one."""
    bench = Bench()
    bench.packs.change(bench.students[0], name_masked="王*明")
    ticket = (await queue.check_in(bench.work, "scan-0")).ticket
    assert ticket
    pack = bench.packs.current().model_copy(update={"identity_mode": mode})
    person = sights.Seen(bench.work, pack, previews.Previews(bench.spool)).person(ticket)
    assert (person.name_masked, person.class_label) == (shown, "2024-1")


async def test_previews_are_few_and_outlive_the_spool() -> None:
    """The last frames can be looked at after the server has them; older ones are forgotten; nothing is written."""
    bench = Bench()
    await sessions.open_session(bench.work)
    shown, taken = previews.Previews(bench.spool), []
    for place in range(10):
        frame, _ = await calibration.take_test_shot(bench.work)
        bench.spool.frames[frame.capture_id] = (frame, portraits.draw(place, width_px=160, height_px=240))
        assert size_of(await shown.get(frame.capture_id)) == (160, 240)
        await bench.spool.wipe(frame.capture_id)
        taken.append(frame.capture_id)
    assert [shown.has(capture_id) for capture_id in taken] == [False] * 2 + [True] * 8
    assert await shown.get(taken[-1])


async def test_a_test_shot_belongs_to_nobody_and_needs_a_free_desk() -> None:
    """It goes to the server unbound, the next student's frame suspects nothing, and a sitter is never its subject."""
    bench = Bench()
    await sessions.open_session(bench.work)
    await calibration.take_test_shot(bench.work)
    assert bench.journal.messages[-1].body["decision"] == "unbound"
    assert not bench.camera.card
    await queue.check_in(bench.work, "scan-0")
    await queue.seat(bench.work, None)
    with pytest.raises(Conflict, match="desk-seat-taken"):
        await calibration.take_test_shot(bench.work)
    await frames.press_shutter(bench.work)
    assert bench.desk.drift is None


def size_of(jpeg: bytes) -> tuple[int, int]:
    """Width and height of a JPEG."""
    return decoding.upright_size(decoding.check(jpeg))


SIGNS: tuple[facts.Sign, ...] = (
    "ticket_skipped", "ticket_repeated", "frame_missing", "frame_unexpected", "double_checkin",
)  # fmt: skip


@pytest.mark.parametrize("sign", SIGNS)
def test_every_way_out_of_a_drift_is_open_and_has_words(sign: facts.Sign) -> None:
    """There is a way out of every drift; each that is offered is taken, and the page has a sentence for it."""
    ways = resolving.ways_out(_suspecting(sign), AT)
    assert ways
    for way in ways:
        desk = _suspecting(sign)
        for fact in resolving.resolve(desk, shown(desk), way, None, AT):
            desk.apply(fact)
        assert desk.drift is None
        code = f"console-drift-{sign.replace('_', '-')}-{way}"
        assert all(messages.render(code, {"expected": "A-0001", "seen": "A-0003"}))


@given(st.sampled_from(SIGNS))
def test_a_way_that_is_not_offered_is_refused(sign: facts.Sign) -> None:
    """What the page does not show would not be taken either."""
    desk = _suspecting(sign)
    for way in {"seen", "expected", "dismiss"} - set(resolving.ways_out(desk, AT)):
        with pytest.raises(Conflict):
            resolving.resolve(desk, shown(desk), way, None, AT)  # type: ignore[arg-type]
