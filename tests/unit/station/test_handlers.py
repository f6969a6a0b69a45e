"""The desk's handlers over fakes: check-in, seat, shutter, decision, drift, seal, and what a restart brings back."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace

import pytest

from gradphoto_contracts import ids
from kit import ids as new_ids
from kit.errors import Conflict, Invalid, Unavailable
from services.capture.api.bodies import desk as desk_bodies
from station.domain import facts, outgoing
from station.handlers import frames, queue, sessions
from station.ports import hardware
from tests.unit.station.fakes import OTHER_CLASS_ID, Bench, shown


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await sessions.open_session(bench.work)
    return bench


async def _seated(bench: Bench, place: int = 0) -> str:
    ticket = (await queue.check_in(bench.work, f"scan-{place}")).ticket
    await queue.seat(bench.work, ticket)
    assert ticket is not None
    return ticket


async def test_check_in_issues_numbers_in_order(bench: Bench) -> None:
    """Each student gets the next number; scanning twice gives the same one."""
    first, second = await queue.check_in(bench.work, "scan-0"), await queue.check_in(bench.work, "scan-1")
    assert (first.ticket, second.ticket) == ("A-0001", "A-0002")
    again = await queue.check_in(bench.work, "scan-0")
    assert (again.outcome, again.ticket) == ("already_ticketed", "A-0001")
    assert [message.kind for message in bench.journal.messages] == ["checkin", "checkin"]


async def test_numbers_go_on_after_a_restart_and_on_another_laptop(bench: Bench) -> None:
    """The journal's last number and the server's last number are both passed."""
    await queue.check_in(bench.work, "scan-0")
    bench.restart()
    assert (await queue.check_in(bench.work, "scan-1")).ticket == "A-0002"
    bench.packs.next_ticket = 41
    assert (await queue.check_in(bench.work, "scan-2")).ticket == "A-0041"


async def test_an_unknown_code_asks_for_a_newer_pack(bench: Bench) -> None:
    """Nobody is admitted on an unknown code, and the pack is asked for at once."""
    assert (await queue.check_in(bench.work, "nonsense")).outcome == "unknown_code"
    assert bench.packs.hurried == 1
    assert bench.journal.messages == []


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"photographed": True}, "already_photographed"),
        ({"eligible": False}, "not_eligible"),
        ({"class_id": OTHER_CLASS_ID}, "other_class"),
    ],
)
async def test_who_may_not_be_photographed_here_is_told_why(
    bench: Bench, changes: dict[str, object], outcome: str
) -> None:
    """Each refusal has its own answer and issues no number."""
    bench.packs.change(bench.students[0], **changes)
    answer = await queue.check_in(bench.work, "scan-0")
    assert (answer.outcome, answer.ticket) == (outcome, None)


async def test_a_registrar_may_send_a_student_of_another_class(bench: Bench) -> None:
    """By hand and with a reason, the plan may be departed from; a photo already taken may not be repeated."""
    bench.packs.change(bench.students[0], class_id=OTHER_CLASS_ID)
    assert (await queue.check_in_by_hand(bench.work, bench.students[0], "came late")).outcome == "issued"
    bench.packs.change(bench.students[1], photographed=True)
    assert (await queue.check_in_by_hand(bench.work, bench.students[1], "asks")).outcome == "already_photographed"
    nobody = ids.StudentId(new_ids.new())
    assert (await queue.check_in_by_hand(bench.work, nobody, "asks")).outcome == "unknown_student"


async def test_who_was_kept_here_is_photographed_until_the_server_says_otherwise(bench: Bench) -> None:
    """A kept frame counts before the pack shows it; rejected by the server, the student may come again."""
    await _seated(bench)
    shot = await frames.press_shutter(bench.work)
    await frames.decide(bench.work, shot.frame.capture_id, "keep", None)
    assert (await queue.check_in(bench.work, "scan-0")).outcome == "already_photographed"
    bench.desk.apply(facts.FrameReceived(shot.frame.capture_id, bench.clock.now()))
    assert (await queue.check_in(bench.work, "scan-0")).outcome == "already_photographed"
    bench.clock.advance(121)
    bench.packs.as_of = bench.clock.now()
    assert (await queue.check_in(bench.work, "scan-0")).outcome == "issued"


async def test_without_a_pack_nobody_is_admitted(bench: Bench) -> None:
    """The desk says that it needs its pack."""
    bench.packs.missing = True
    with pytest.raises(Unavailable, match="desk-pack-missing"):
        await queue.check_in(bench.work, "scan-0")


async def test_the_wrong_student_on_the_chair_stops_the_desk(bench: Bench) -> None:
    """A skipped number is suspected drift; nothing goes on until the operator has looked."""
    for place in range(3):
        await queue.check_in(bench.work, f"scan-{place}")
    await queue.seat(bench.work, "A-0002")
    assert bench.desk.drift is not None
    assert (bench.desk.drift.sign, bench.desk.drift.expected, bench.desk.seated) == ("ticket_skipped", "A-0001", None)
    await queue.seat(bench.work, "A-0002")
    with pytest.raises(Conflict, match="desk-drift-open"):
        await frames.press_shutter(bench.work)
    with pytest.raises(Conflict, match="desk-drift-open"):
        await queue.seat(bench.work, "A-0003")
    asked = shown(bench.desk)
    await queue.resolve_drift(bench.work, asked, "seen", None)
    assert bench.desk.seated == "A-0002"
    await queue.resolve_drift(bench.work, asked, "seen", None)
    told = [message.body["resolution"] for message in bench.journal.messages if message.kind == "drift"]
    assert told == [None, "seen"]


async def test_a_number_that_is_done_is_a_repeat(bench: Bench) -> None:
    """Whoever sits down twice is suspected drift, and can't be seated by calling it seen."""
    ticket = await _seated(bench)
    shot = await frames.press_shutter(bench.work)
    await frames.decide(bench.work, shot.frame.capture_id, "keep", None)
    await queue.check_in(bench.work, "scan-1")
    await queue.seat(bench.work, ticket)
    assert bench.desk.drift is not None
    assert bench.desk.drift.sign == "ticket_repeated"
    with pytest.raises(Conflict, match="desk-resolution-unfit"):
        await bench.answer("seen")
    await bench.answer("expected")
    assert bench.desk.seated == "A-0002"


async def test_nobody_is_photographed_without_a_number(bench: Bench) -> None:
    """The shutter is refused while nobody sits."""
    with pytest.raises(Conflict, match="desk-nobody-seated"):
        await frames.press_shutter(bench.work)
    assert bench.camera.count == 0


async def test_the_shutter_pressed_again_gives_the_frame_that_waits(bench: Bench) -> None:
    """While a frame awaits its decision there is no second one."""
    await _seated(bench)
    first, second = await frames.press_shutter(bench.work), await frames.press_shutter(bench.work)
    assert first.frame == second.frame
    assert bench.camera.count == 1
    assert next(bench.inspector.inspections) == 1


async def test_a_camera_that_fails_drops_no_press(bench: Bench) -> None:
    """After a failed press the next one is the same press: same capture id, same student."""
    await _seated(bench)
    bench.camera.broken = True
    with pytest.raises(Unavailable, match="camera-no-frame"):
        await frames.press_shutter(bench.work)
    pressed = bench.desk.pressed
    assert pressed is not None
    bench.camera.broken = False
    shot = await frames.press_shutter(bench.work)
    assert shot.frame.capture_id == pressed.capture_id


async def test_a_refused_photo_is_kept_only_by_override_with_role_and_reason(bench: Bench) -> None:
    """Keep is refused, an override without role or reason too; with both it goes to the server."""
    await _seated(bench)
    bench.inspector.verdict = "reject"
    shot = await frames.press_shutter(bench.work)
    with pytest.raises(Conflict, match="desk-keep-refused"):
        await frames.decide(bench.work, shot.frame.capture_id, "keep", None)
    lacking: list[tuple[str | None, facts.Role | None]] = [(None, None), ("scar", None), ("  ", "crew_lead")]
    for reason, role in lacking:
        with pytest.raises(Invalid, match="desk-override-needs-reason"):
            await frames.decide(bench.work, shot.frame.capture_id, "override", reason, role)
    await frames.decide(bench.work, shot.frame.capture_id, "override", "scar", "crew_lead")
    body = bench.journal.messages[-1].body
    assert (body["decision"], body["desk_rules"]) == ("override", ["P2"])
    assert (body["override"]["role"], body["override"]["reason"]) == ("crew_lead", "scar")
    desk_bodies.Override.model_validate(body["override"])
    told = [(fact.role, fact.reason) for fact in bench.journal.facts if isinstance(fact, facts.FrameDecided)]
    assert told == [("crew_lead", "scar")], "refused ones leave no trace, the one that was taken is in the journal"


async def test_retakes_have_a_limit(bench: Bench) -> None:
    """The campaign's limit of two retakes holds; the number stays the same."""
    await _seated(bench)
    for _ in range(2):
        shot = await frames.press_shutter(bench.work)
        await frames.decide(bench.work, shot.frame.capture_id, "retake", None)
    last = await frames.press_shutter(bench.work)
    with pytest.raises(Conflict, match="desk-retake-limit"):
        await frames.decide(bench.work, last.frame.capture_id, "retake", None)
    assert last.frame.ticket == "A-0001"
    with pytest.raises(Invalid, match="desk-override-needs-reason"):
        await frames.decide(bench.work, last.frame.capture_id, "override", "best of three", None)
    bench.restart()
    with pytest.raises(Conflict, match="desk-retake-limit"):
        await frames.decide(bench.work, last.frame.capture_id, "retake", None)
    await frames.decide(bench.work, last.frame.capture_id, "override", "best of three", "crew_lead")
    assert bench.desk.tickets["A-0001"].state == "photographed"


async def test_a_photo_left_to_nobody_is_a_retake(bench: Bench) -> None:
    """Three frames and no more, however each is given up; then the seat is left, and the student checks in anew."""
    ticket = await _seated(bench)
    for decision in ("unbound", "retake", "unbound"):
        shot = await frames.press_shutter(bench.work)
        await frames.decide(bench.work, shot.frame.capture_id, decision, None)
    with pytest.raises(Conflict, match="desk-retakes-used-up"):
        await frames.press_shutter(bench.work)
    assert (bench.camera.count, bench.desk.tickets["A-0001"].retakes, bench.desk.seated) == (3, 3, ticket)
    await queue.release(bench.work, "A-0001", "no photo")
    assert (await queue.check_in(bench.work, "scan-0")).outcome == "issued"


async def test_what_was_not_the_sitter_s_fault_is_no_retake(bench: Bench) -> None:
    """A frame that our disk has spoilt, one of a drift, one of somebody who has left: none is counted."""
    await _seated(bench)
    spoilt = (await frames.press_shutter(bench.work)).frame.capture_id
    bench.work.damaged.add(spoilt)
    await frames.decide(bench.work, spoilt, "unbound", None)
    bench.camera.skip(1)
    await frames.press_shutter(bench.work)
    await bench.answer("dismiss")
    assert bench.desk.tickets["A-0001"].retakes == 0


async def test_a_jump_of_the_camera_s_count_stops_the_desk(bench: Bench) -> None:
    """Frames that never arrived are noticed at the next one; dismissed, that one is bound to nobody."""
    await _seated(bench)
    bench.camera.skip(2)
    shot = await frames.press_shutter(bench.work)
    assert bench.desk.drift is not None
    assert (bench.desk.drift.sign, bench.desk.drift.expected, bench.desk.drift.seen) == ("frame_missing", "1", "3")
    with pytest.raises(Conflict, match="desk-drift-open"):
        await frames.decide(bench.work, shot.frame.capture_id, "keep", None)
    await bench.answer("dismiss")
    assert bench.journal.messages[-1].body["student_id"] is None
    assert bench.desk.seated == "A-0001"


async def test_a_frame_that_nobody_sat_for_is_kept_for_nobody(bench: Bench) -> None:
    """A test shot is journalled, suspected, and can only be left unbound."""
    bench.camera.fire()
    await frames.take_in_waiting(bench.work, live=True)
    assert bench.desk.drift is not None
    assert bench.desk.drift.sign == "frame_unexpected"
    assert bench.camera.card == {}
    await bench.answer("dismiss")
    assert [m.body["decision"] for m in bench.journal.messages if m.kind == "capture"] == ["unbound"]


async def test_an_answer_sent_twice_answers_no_other_drift(bench: Bench) -> None:
    """Two are suspected: the first one's answer, repeated, leaves the second; one of long ago is refused."""
    for _ in range(2):
        bench.camera.fire()
        await frames.take_in_waiting(bench.work, live=True)
    first, second = (drift.drift_id for drift in bench.desk.drifts)
    for _ in range(2):
        await queue.resolve_drift(bench.work, first, "dismiss", None)
    assert shown(bench.desk) == second
    with pytest.raises(Conflict, match="desk-drift-open"):
        await queue.resolve_drift(bench.work, first, "seen", None)
    await bench.answer("dismiss")
    with pytest.raises(Conflict, match="desk-no-drift"):
        await queue.resolve_drift(bench.work, first, "seen", None)


async def test_where_the_photographer_fires_once_too_often_it_is_nobody_s() -> None:
    """Who has used up every photo is bound to no further one."""
    bench = Bench(photographer_fires=True)
    await sessions.open_session(bench.work)
    await _seated(bench)
    for _ in range(3):
        bench.camera.fire()
        await frames.take_in_waiting(bench.work, live=True)
        (capture_id,) = bench.desk.undecided
        await frames.decide(bench.work, capture_id, "unbound", None)
    bench.camera.fire()
    await frames.take_in_waiting(bench.work, live=True)
    assert [frame.taken.ticket for frame in bench.desk.frames.values()] == ["A-0001"] * 3 + [None]
    assert bench.desk.drift


async def test_where_the_photographer_fires_whoever_sits_is_meant() -> None:
    """A frame that comes by itself while somebody sits is theirs; a second one before the decision is nobody's."""
    bench = Bench(photographer_fires=True)
    await sessions.open_session(bench.work)
    ticket = await _seated(bench)
    bench.camera.fire()
    await frames.take_in_waiting(bench.work, live=True)
    assert [frame.taken.ticket for frame in bench.desk.frames.values()] == [ticket]
    bench.camera.fire()
    await frames.take_in_waiting(bench.work, live=True)
    assert [frame.taken.ticket for frame in bench.desk.frames.values()] == [ticket, None]


async def test_a_frame_on_the_card_after_a_crash_is_that_of_the_press(bench: Bench) -> None:
    """Killed between camera and spool, the picture is fetched from the card and bound to whom it was pressed for."""
    ticket = await _seated(bench)
    await bench.die_at_the_camera()
    await frames.finish_interrupted(bench.work)
    await frames.judge_unjudged(bench.work)
    (frame,) = bench.desk.frames.values()
    assert (frame.taken.ticket, frame.state, bench.desk.drift) == (ticket, "judged", None)


async def test_a_press_before_the_card_is_read_costs_no_left_frame(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pressed again after the crash, while its picture waits in the camera, the press stands and gets it."""
    ticket = await _seated(bench)
    await bench.die_at_the_camera()
    with monkeypatch.context() as patch:
        patch.setattr(bench.camera, "shutter", _frames_wait)
        with pytest.raises(Unavailable, match="camera-frames-waiting"):
            await frames.press_shutter(bench.work)
    await frames.take_in_waiting(bench.work, live=True)
    assert [frame.taken.ticket for frame in bench.desk.frames.values()] == [ticket]


async def _frames_wait() -> hardware.Exposure:
    raise Unavailable("camera-frames-waiting", count=1)


async def test_a_frame_in_the_spool_after_a_crash_is_journalled(bench: Bench) -> None:
    """Killed between spool and journal, the frame is journalled with its student, once."""
    ticket = await _seated(bench)
    await _killed_after_the_spool(bench, frames.press_shutter(bench.work))
    bench.restart()
    await frames.finish_interrupted(bench.work)
    assert [frame.taken.ticket for frame in bench.desk.frames.values()] == [ticket]
    assert (bench.desk.drift, bench.desk.pressed, bench.camera.card) == (None, None, {})


async def test_a_frame_that_the_journal_refuses_leaves_no_copy(bench: Bench) -> None:
    """Tried as often as it takes, a frame of nobody is journalled once, and lies in the spool once."""
    bench.camera.fire()
    bench.journal.full_for = "frame_journalled"
    for _ in range(3):
        with pytest.raises(Unavailable, match="station-disk-full"):
            await frames.take_in_waiting(bench.work, live=True)
        assert bench.spool.frames == {}
    bench.journal.full_for = None
    await frames.take_in_waiting(bench.work, live=True)
    assert list(bench.spool.frames) == list(bench.desk.frames)
    assert (len(bench.desk.frames), len(bench.desk.drifts), bench.camera.card) == (1, 1, {})


async def test_copies_of_one_exposure_are_journalled_once(bench: Bench) -> None:
    """Killed again and again between spool and journal: one frame at the next start; another of that count is kept."""
    bench.camera.fire()
    for _ in range(3):
        await _killed_after_the_spool(bench, frames.take_in_waiting(bench.work, live=True))
    (label, jpeg), *_ = bench.spool.frames.values()
    other = replace(label, capture_id=ids.CaptureId(new_ids.new()), sha256="0" * 64)
    bench.spool.frames[other.capture_id] = other, jpeg
    bench.restart()
    await frames.finish_interrupted(bench.work)
    assert len(bench.desk.frames) == 2
    assert set(bench.spool.frames) == set(bench.desk.frames)
    assert other.capture_id in bench.desk.frames


class Killed(Exception):
    """As if nothing after it had happened."""


async def _killed_after_the_spool(bench: Bench, act: Awaitable[object]) -> None:
    """Do it up to where the frame would be journalled."""
    write = bench.journal.append

    async def append(happened: Sequence[facts.Fact], messages: Sequence[outgoing.Message]) -> None:
        if any(isinstance(fact, facts.FrameJournalled) for fact in happened):
            raise Killed
        await write(happened, messages)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench.journal, "append", append)
        with pytest.raises(Killed):
            await act


async def test_the_reserve_holds_for_what_the_camera_brings(bench: Bench) -> None:
    """Below the reserve a frame stays in the camera, and is taken in when there is room."""
    bench.camera.fire()
    bench.spool.full = True
    with pytest.raises(Unavailable, match="station-disk-full"):
        await frames.take_in_waiting(bench.work, live=True)
    assert (len(bench.camera.card), bench.desk.frames) == (1, {})
    bench.spool.full = False
    await frames.take_in_waiting(bench.work, live=True)
    assert (len(bench.camera.card), len(bench.desk.frames)) == (0, 1)


async def test_a_full_disk_stops_the_shutter_before_the_camera(bench: Bench) -> None:
    """No picture is taken that there is no room for."""
    await _seated(bench)
    bench.spool.full = True
    with pytest.raises(Unavailable, match="station-disk-full"):
        await frames.press_shutter(bench.work)
    assert bench.camera.count == 0


async def test_who_walks_off_frees_chair_and_queue(bench: Bench) -> None:
    """A released number is never used again; the student gets a new one."""
    await _seated(bench)
    await queue.release(bench.work, "A-0001", "walked off")
    await queue.release(bench.work, "A-0001", "walked off")
    assert bench.desk.seated is None
    with pytest.raises(Conflict, match="desk-ticket-finished"):
        await queue.seat(bench.work, "A-0001")
    assert (await queue.check_in(bench.work, "scan-0")).ticket == "A-0002"


async def test_a_seal_counts_camera_and_journal(bench: Bench) -> None:
    """The seal names every frame; sealing again at once gives the same session; work in between opens a new one."""
    await _seated(bench)
    with pytest.raises(Conflict, match="desk-seat-taken"):
        await sessions.seal(bench.work, 0)
    shot = await frames.press_shutter(bench.work)
    await frames.decide(bench.work, shot.frame.capture_id, "keep", None)
    sealed, again = await sessions.seal(bench.work, 0), await sessions.seal(bench.work, 0)
    assert sealed == again
    assert (sealed["camera_frames"], sealed["journalled_frames"]) == (1, 1)
    message = bench.journal.messages[-1]
    assert (message.kind, message.after_all, len(message.body["journalled"])) == ("session", True, 1)
    await queue.check_in(bench.work, "scan-1")
    assert (await sessions.seal(bench.work, 0))["session_id"] != sealed["session_id"]
