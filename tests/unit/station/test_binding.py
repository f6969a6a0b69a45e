"""Who a frame belongs to: the number shown at the seat, the camera's count, the time, the face; and the ways out."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gradphoto_contracts import ids
from kit import messages
from kit.errors import Conflict, NotFound
from services.capture.api.bodies import desk as desk_bodies
from station.domain import facts, outgoing, resolving, rules, signals
from station.domain.desk import Desk
from station.handlers import frames, queue, sessions
from tests.unit.station.fakes import Bench, shown

AT = datetime(2024, 5, 20, 1, 0, tzinfo=UTC)
STRICT = signals.Terms("shown", change_over_s=2.0, lingering_s=180.0)


class Seat:
    """A desk with four in the queue, A-0001 to A-0004, and a camera."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self.desk = Desk("A")
        self.now = AT
        self.fired = 0
        self.do(rules.open_session(self.desk, self.id, self.now, "cam", 0))
        for _ in range(4):
            student, checkin = ids.StudentId(self.id()), ids.CheckinId(self.id())
            self.do([rules.issue_ticket(self.desk, student, None, checkin, self.now)])

    def id(self) -> UUID:
        return UUID(int=next(self._ids))

    def do(self, happened: Iterable[facts.Fact]) -> None:
        for fact in happened:
            self.desk.apply(fact)

    def show(self, number: str) -> None:
        self.do(rules.show(self.desk, number, self.id, self.now))

    def call(self) -> None:
        self.do(rules.seat(self.desk, None, self.id, self.now))

    def shoot(self, after_s: float = 5.0) -> ids.CaptureId:
        self.do([rules.press(self.desk, self.id, self.now, STRICT)])
        pressed = self.desk.pressed
        assert pressed
        self.now += timedelta(seconds=after_s)
        self.fired += 1
        frame = facts.FrameJournalled(
            capture_id=pressed.capture_id,
            sha256="0" * 64,
            size_bytes=1,
            ticket=pressed.ticket,
            checkin_id=pressed.checkin_id,
            student_id=pressed.student_id,
            camera_serial="cam",
            frame_counter=self.fired,
            monotonic_ns=round(self.now.timestamp() * 1e9),
            shutter_at=self.now,
        )
        self.do(rules.take_in(self.desk, frame, self.id, terms=STRICT))
        self.do([facts.FrameJudged(frame.capture_id, "accept", (), "p", self.now)])
        return frame.capture_id

    def keep(self, capture_id: ids.CaptureId) -> None:
        self.do(rules.decide(self.desk, capture_id, "keep", None, 3, self.now, terms=STRICT))

    def compare(self, capture_id: ids.CaptureId, against: facts.Against, similarity: float) -> None:
        compared = facts.FaceCompared(capture_id, against, similarity, self.now)
        self.do(rules.compare(self.desk, compared, self.id))

    def resolve(self, resolution: facts.Resolution) -> None:
        self.do(resolving.resolve(self.desk, shown(self.desk), resolution, None, self.now))

    def sign(self) -> facts.Sign | None:
        return self.desk.drift.sign if self.desk.drift else None


@pytest.fixture
def seat() -> Seat:
    """Four wait; nobody sits."""
    return Seat()


def test_no_frame_is_anybody_s_before_the_number_was_shown(seat: Seat) -> None:
    """Who was only called is not photographed where the campaign wants the number shown; then they are."""
    seat.call()
    with pytest.raises(Conflict, match="desk-ticket-unshown"):
        seat.shoot()
    seat.show("A-0001")
    seat.keep(seat.shoot())
    assert seat.desk.tickets["A-0001"].state == "photographed"


def test_a_called_number_is_enough_where_the_campaign_says_so(seat: Seat) -> None:
    """Old packs do not ask for the number: nothing changes for them."""
    seat.call()
    assert rules.press(seat.desk, seat.id, seat.now).ticket == "A-0001"


def test_a_queue_jump_is_one_alarm_not_two(seat: Seat) -> None:
    """Who was passed over once may come whenever they come; the next in line, too."""
    seat.show("A-0003")
    assert seat.sign() == "ticket_skipped"
    seat.resolve("seen")
    seat.keep(seat.shoot())
    for number in ("A-0002", "A-0001", "A-0004"):
        seat.show(number)
        assert seat.sign() is None, number
        seat.keep(seat.shoot())


def test_the_alarm_names_the_one_who_is_due(seat: Seat) -> None:
    """After A-0001 was passed over, A-0002 is due: a second jump names that one."""
    seat.show("A-0003")
    seat.resolve("seen")
    seat.keep(seat.shoot())
    seat.show("A-0004")
    assert seat.desk.drift
    assert (seat.desk.drift.expected, seat.desk.drift.seen) == ("A-0002", "A-0004")


def test_another_number_at_the_seat_gives_the_undecided_frame_to_nobody(seat: Seat) -> None:
    """A-0001 sits by our count, A-0002 is in the hand: the frame is nobody's, A-0001 waits again, A-0002 sits."""
    seat.show("A-0001")
    frame = seat.shoot()
    seat.show("A-0002")
    assert seat.sign() == "ticket_unlike"
    with pytest.raises(Conflict, match="desk-drift-open"):
        seat.keep(frame)
    seat.resolve("seen")
    assert seat.desk.seated == "A-0002"
    assert list(seat.desk.waiting) == ["A-0001", "A-0003", "A-0004"]
    decided = seat.desk.frames[frame].decided
    assert decided
    assert decided.decision == "unbound"


@pytest.mark.parametrize(("resolution", "seated"), [("expected", "A-0001"), ("dismiss", None)])
def test_the_other_answers_to_another_number(seat: Seat, resolution: facts.Resolution, seated: str | None) -> None:
    """A slip scanned by mistake changes nothing; where neither is right nobody sits."""
    seat.show("A-0001")
    frame = seat.shoot()
    seat.show("A-0002")
    seat.resolve(resolution)
    assert seat.desk.seated == seated
    assert (frame in seat.desk.undecided) == (resolution == "expected")


def test_who_was_photographed_and_comes_again_is_asked_about(seat: Seat) -> None:
    """The holder's number was used up by somebody else, or they hold it up twice: the operator looks."""
    seat.show("A-0001")
    seat.keep(seat.shoot())
    seat.show("A-0001")
    assert seat.sign() == "ticket_repeated"
    assert resolving.ways_out(seat.desk, seat.now) == ("expected", "dismiss")


def test_the_same_number_again_changes_nothing(seat: Seat) -> None:
    """Scanned twice at the seat it is said once."""
    seat.show("A-0001")
    assert rules.show(seat.desk, "A-0001", seat.id, seat.now) == []
    seat.show("A-0002")
    assert rules.show(seat.desk, "A-0002", seat.id, seat.now) == []


def test_an_unknown_slip_is_said_so(seat: Seat) -> None:
    """A slip of another desk seats nobody and stops nothing."""
    with pytest.raises(NotFound, match="desk-ticket-unknown"):
        seat.show("B-0001")
    assert seat.sign() is None


def test_nobody_changes_seats_in_a_second(seat: Seat) -> None:
    """A frame so soon after another student's shows that one still; at the limit it does not."""
    seat.show("A-0001")
    seat.keep(seat.shoot())
    seat.show("A-0002")
    frame = seat.shoot(after_s=1.0)
    assert seat.sign() == "frame_too_soon"
    seat.resolve("dismiss")
    assert frame not in seat.desk.undecided
    assert seat.desk.seated is None
    seat.show("A-0002")
    seat.shoot(after_s=2.0)
    assert seat.sign() is None


def test_a_number_grows_stale(seat: Seat) -> None:
    """Three minutes after it was shown somebody else may sit there; a frame in between makes it fresh."""
    seat.show("A-0001")
    frame = seat.shoot(after_s=181.0)
    assert seat.sign() == "seat_stale"
    seat.resolve("seen")
    seat.do(rules.decide(seat.desk, frame, "retake", None, 3, seat.now))
    seat.shoot(after_s=179.0)
    assert seat.sign() is None


@pytest.mark.parametrize(
    ("against", "similarity", "sign"),
    [
        ("previous", 0.60, "face_repeated"),
        ("previous", 0.59, None),
        ("own", 0.59, "face_changed"),
        ("own", 0.60, None),
        ("reference", 0.29, "face_unlike"),
        ("reference", 0.30, None),
    ],
)
def test_faces_speak_at_their_limits(
    seat: Seat, against: facts.Against, similarity: float, sign: facts.Sign | None
) -> None:
    """Each comparison has its own limit; on the other side of it the desk goes on."""
    seat.show("A-0001")
    seat.keep(seat.shoot())
    seat.show("A-0002")
    seat.do(rules.decide(seat.desk, seat.shoot(), "retake", None, 3, seat.now))
    seat.compare(seat.shoot(), against, similarity)
    assert seat.sign() == sign


def test_a_frame_that_is_nobody_s_is_no_measure(seat: Seat) -> None:
    """Somebody else's frame was taken off the number: the holder's own face is not held against it."""
    seat.show("A-0001")
    seat.do(rules.decide(seat.desk, seat.shoot(), "unbound", None, 3, seat.now))
    seat.compare(seat.shoot(), "own", 0.05)
    assert seat.sign() is None


def test_between_like_and_unlike_a_person_looks(seat: Seat) -> None:
    """A face that is neither stops nothing and asks for a look; a comparison told again is told once."""
    seat.show("A-0001")
    capture_id = seat.shoot()
    seat.compare(capture_id, "reference", 0.40)
    seat.compare(capture_id, "reference", 0.10)
    assert seat.sign() is None
    assert signals.wants_a_look(seat.desk.frames[capture_id])
    seat.keep(capture_id)


def test_a_face_refuses_nobody(seat: Seat) -> None:
    """Whoever looked and says that it is the same person keeps the photo."""
    seat.show("A-0001")
    capture_id = seat.shoot()
    seat.compare(capture_id, "reference", 0.05)
    seat.resolve("seen")
    seat.keep(capture_id)
    assert seat.desk.kept


def test_a_late_face_takes_nothing_back(seat: Seat) -> None:
    """Compared after the photo was kept: it is said, and stays bound until it is rebound."""
    seat.show("A-0001")
    capture_id = seat.shoot()
    seat.keep(capture_id)
    seat.compare(capture_id, "reference", 0.05)
    assert resolving.ways_out(seat.desk, seat.now) == ("seen", "dismiss")
    seat.resolve("dismiss")
    assert seat.desk.kept
    assert seat.desk.tickets["A-0001"].state == "photographed"


ALL_SIGNS: dict[facts.Sign, int] = {
    "ticket_unlike": 3, "seat_stale": 2, "frame_too_soon": 2, "face_repeated": 3, "face_changed": 2, "face_unlike": 2,
}  # fmt: skip


@pytest.mark.parametrize("sign", ALL_SIGNS)
def test_every_way_out_has_words_and_every_sign_a_message(seat: Seat, sign: facts.Sign) -> None:
    """The operator reads what is the matter and what each answer does; the server gets a word it knows."""
    seat.show("A-0001")
    capture_id = seat.shoot()
    drift = facts.DriftSuspected(ids.DriftId(seat.id()), sign, "A-0001", "A-0002", AT, capture_id)
    (message,) = outgoing.messages(seat.desk, [drift])
    seat.do([drift])
    ways = resolving.ways_out(seat.desk, seat.now)
    assert len(ways) == ALL_SIGNS[sign]
    for code in (f"drift-{sign}", *(f"console-drift-{sign}-{way}" for way in ways)):
        assert all(messages.render(code.replace("_", "-"), {"expected": "A-0001", "seen": "A-0002"}))
    assert desk_bodies.Drift.model_validate(message.body).cue == sign


def test_the_journal_rebuilds_what_was_let_pass() -> None:
    """After a restart the desk knows who was passed over, who has shown the number, and the faces."""
    bench = Bench()
    desk, now = bench.desk, bench.clock.now()
    history: list[facts.Fact] = []

    def do(happened: list[facts.Fact]) -> None:
        for fact in happened:
            desk.apply(fact)
            history.append(fact)

    for student in bench.students[:3]:
        checkin = ids.CheckinId(bench.work.new_id())
        do([rules.issue_ticket(desk, student, None, checkin, now)])
    do(rules.show(desk, "A-0002", bench.work.new_id, now))
    do(resolving.resolve(desk, shown(desk), "seen", None, now))
    assert desk.passed == {"A-0001"}
    assert desk.proven
    assert vars(Desk("A", history)) == vars(desk)


async def test_a_slip_goes_to_the_seat_whichever_scanner_reads_it() -> None:
    """A slip is no check-in; a code at the seat's own scanner is its holder's number."""
    bench = Bench()
    await sessions.open_session(bench.work)
    for place in range(2):
        await queue.check_in(bench.work, f"scan-{place}")
    assert (await queue.check_in(bench.work, "A-0001")).outcome == "shown"
    assert bench.desk.seated == "A-0001"
    assert bench.desk.proven
    shot = await frames.press_shutter(bench.work)
    await frames.decide(bench.work, shot.frame.capture_id, "keep", None)
    assert (await queue.show(bench.work, "scan-1")).ticket == "A-0002"
    assert bench.desk.seated == "A-0002"
    with pytest.raises(NotFound):
        await queue.show(bench.work, "scan-5")


async def test_the_pack_says_what_a_campaign_demands() -> None:
    """The policy comes with the desk pack; a drill has no people who would need time."""
    bench = Bench()
    photo = bench.packs.current().photo.model_copy(update={"seat_proof": "shown", "change_over_s": 2.0})
    pack = bench.packs.current().model_copy(update={"photo": photo})
    bench.packs.current = lambda: pack  # type: ignore[method-assign]
    await sessions.open_session(bench.work)
    await queue.check_in(bench.work, "scan-0")
    await queue.seat(bench.work, None)
    with pytest.raises(Conflict, match="desk-ticket-unshown"):
        await frames.press_shutter(bench.work)
    assert bench.work.terms.change_over_s == 2.0
    bench.work.drill = True
    assert bench.work.terms == signals.Terms("shown")
    await queue.check_in(bench.work, "A-0001")
    await frames.press_shutter(bench.work)


async def test_who_fires_before_the_number_was_shown_binds_nobody() -> None:
    """The photographer's own button: a frame of somebody who only was called is nobody's, and suspected."""
    bench = Bench(photographer_fires=True)
    photo = bench.packs.current().photo.model_copy(update={"seat_proof": "shown"})
    pack = bench.packs.current().model_copy(update={"photo": photo})
    bench.packs.current = lambda: pack  # type: ignore[method-assign]
    await sessions.open_session(bench.work)
    await queue.check_in(bench.work, "scan-0")
    await queue.seat(bench.work, None)
    bench.camera.fire()
    await frames.take_in_waiting(bench.work, live=True)
    assert bench.desk.drift
    assert bench.desk.drift.sign == "frame_unexpected"
    (frame,) = bench.desk.frames.values()
    assert frame.taken.ticket is None
