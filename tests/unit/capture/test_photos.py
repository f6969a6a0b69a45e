"""Photos from the desk's PUT to their end."""

from dataclasses import replace

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gradphoto_contracts import capture, ids, roster
from kit import errors, metrics
from services.capture.api.bodies import desk as desk_bodies
from services.capture.domain import floor as known
from services.capture.domain import photos
from services.capture.handlers import binding, desk, floor, inspection
from tests.unit.capture.twins import World

ACT = binding.Act("lead", "crew_lead", "wrong_person")


async def receive(world: World, shot: photos.Shot, override: desk.Override | None = None) -> photos.Photo:
    if shot.decision == "override" and override is None:
        override = desk.Override("crew_lead", "glare", shot.shutter_at)
    return await desk.receive_capture(world.unit, world.objects, shot, override)


async def inspect(world: World) -> None:
    while await inspection.inspect_next(world.unit, world.objects, world.inspector):
        pass


async def accepted(world: World) -> photos.Photo:
    student_id = await world.enrol_student()
    photo = await receive(world, world.shot(student_id))
    await inspect(world)
    return world.photos.rows[photo.shot.capture_id]


def to(student_id: ids.StudentId, photo: photos.Photo) -> dict[ids.CaptureId, binding.Move]:
    """The photo is to be that student's, by who saw it as it is here."""
    assert photo.student_id is not None
    return {photo.shot.capture_id: binding.Move(student_id, photo.student_id)}


async def test_kept_photo_is_received_then_accepted(world: World) -> None:
    """A kept photo that meets the standard is announced twice: received, accepted."""
    photo = await accepted(world)
    assert photo.state == "accepted"
    assert world.said == ["photo.received", "photo.accepted"]
    assert world.objects.rows[photo.photo_key or ""].startswith(b"composed")


async def test_repeated_put_changes_nothing(world: World) -> None:
    """The same PUT again, before and after inspection, answers the same and says nothing new."""
    shot = world.shot(await world.enrol_student())
    await receive(world, shot)
    await receive(world, shot)
    await inspect(world)
    await receive(world, shot)
    assert world.said == ["photo.received", "photo.accepted"]


async def test_repeat_needs_no_store(world: World) -> None:
    """A repeat is answered while the object store is away: its original was verified the first time."""
    shot = world.shot(await world.enrol_student())
    await receive(world, shot)
    world.objects.away = True
    assert (await receive(world, shot)).shot == shot


async def test_other_content_under_the_same_id_is_refused(world: World) -> None:
    """A capture's facts never change: a PUT that says otherwise is a conflict."""
    shot = world.shot(await world.enrol_student())
    await receive(world, shot)
    with pytest.raises(errors.Conflict, match="capture-differs"):
        await receive(world, replace(shot, frame_counter=2))


async def test_another_station_may_bring_a_dead_ones_frame(world: World) -> None:
    """A frame exported from a dead desk and sent by another is the same frame."""
    shot = world.shot(await world.enrol_student())
    await receive(world, shot)
    other = replace(shot, station_id=ids.StationId(world.new_id()), desk_id=ids.DeskId(world.new_id()))
    assert (await receive(world, other)).shot.station_id == world.station_id


@pytest.mark.parametrize(("stored", "code"), [(None, "original-missing"), (b"cut o", "original-hash-differs")])
async def test_original_is_verified_itself(world: World, stored: bytes | None, code: str) -> None:
    """The station's word about the hash is not enough: absent or altered bytes are refused."""
    shot = world.shot(await world.enrol_student())
    key = photos.original_key(shot.campaign_id, shot.sha256)
    world.objects.rows.pop(key)
    if stored is not None:
        world.objects.rows[key] = stored
    with pytest.raises(errors.Conflict, match=code):
        await receive(world, shot)
    assert not world.photos.rows
    assert await desk.is_stored(world.objects, shot.campaign_id, shot.sha256, shot.size_bytes) is False


@pytest.mark.parametrize(
    ("verdict", "decision", "state", "cause"),
    [
        ("accept", "keep", "accepted", None),
        ("review", "keep", "accepted", None),
        ("reject", "keep", "rejected", "standard"),
        ("reject", "override", "accepted", None),
    ],
)
async def test_authority_decides(
    world: World, verdict: photos.Verdict, decision: photos.Decision, state: str, cause: str | None
) -> None:
    """What a verdict and an operator's decision come to."""
    world.inspector.verdict, world.inspector.rules = verdict, ("X4",)
    photo = await receive(world, world.shot(await world.enrol_student(), decision))
    await inspect(world)
    decided = world.photos.rows[photo.shot.capture_id]
    assert (decided.state, decided.cause) == (state, cause)
    assert decided.rules == ("X4",)
    assert decided.overridden is (decision == "override")


@pytest.mark.parametrize(
    "told",
    [{"role": "operator"}, {"role": None}, {"role": ""}, {"reason": ""}, {"reason": "  "}, {"reason": None}],
)
def test_an_override_without_role_and_reason_is_no_body(told: dict[str, str | None]) -> None:
    """Nobody lets a bad photo pass without saying who decided, as one who may, and why."""
    whole = {"role": "crew_lead", "reason": "glare", "at": "2024-05-20T01:00:00Z"}
    desk_bodies.Override.model_validate(whole)
    with pytest.raises(ValueError, match="validation error"):
        desk_bodies.Override.model_validate({**whole, **told})


@pytest.mark.parametrize(("decision", "code"), [("override", "override-needs-reason"), ("keep", "override-of-nothing")])
async def test_an_override_comes_with_its_words_and_no_other_does(
    world: World, decision: photos.Decision, code: str
) -> None:
    """A desk that says one without the other is refused, and nothing is kept."""
    override = desk.Override("registrar", "疤痕", world.now) if decision == "keep" else None
    with pytest.raises(errors.Invalid, match=code):
        await desk.receive_capture(
            world.unit, world.objects, world.shot(await world.enrol_student(), decision), override
        )
    assert world.photos.rows == {}


async def test_an_override_is_on_the_record(world: World) -> None:
    """With both it is taken, once: the history says who and why, the row and the audit line none of the words."""
    override = desk.Override("registrar", "疤痕", world.now)
    shot = world.shot(await world.enrol_student(), "override")
    with structlog.testing.capture_logs() as lines:
        photo = await receive(world, shot, override)
        await receive(world, shot, override)
    (note,) = world.photos.notes
    told = (note.act, note.author, note.role, note.reason)
    assert told == ("overridden", f"station {world.station_id}", "registrar", "疤痕")
    assert "疤痕" not in str(world.photos.rows[photo.shot.capture_id])
    with pytest.raises(errors.Conflict, match="capture-differs"):
        await receive(world, shot, replace(override, reason="眼镜"))
    (line,) = [line for line in lines if line["event"] == "capture.overridden"]
    assert line["role"] == "registrar"
    assert "疤痕" not in str(line)


async def test_retaken_is_rejected_at_once_with_the_desks_rules(world: World) -> None:
    """A retaken frame is kept, rejected, and never inspected."""
    shot = world.shot(await world.enrol_student(), "retake", desk_rules=("P1", "B1"))
    photo = await receive(world, shot)
    await inspect(world)
    assert (photo.state, photo.cause, photo.rules) == ("rejected", "retaken", ("P1", "B1"))
    assert world.said == ["photo.received", "photo.rejected"]
    assert world.inspector.seen == 0


async def test_test_shot_is_kept_for_nobody(world: World) -> None:
    """An unbound frame is stored, announced to no one, and never a student's."""
    photo = await receive(world, world.shot(None, "unbound"))
    await inspect(world)
    assert world.photos.rows[photo.shot.capture_id].state == "unbound"
    assert world.said == []


async def test_second_photo_of_a_student_is_a_duplicate_and_kept(world: World) -> None:
    """Two photos of one student: the first is in force, the second is rejected, both stay in the store."""
    student_id = await world.enrol_student()
    first = await receive(world, world.shot(student_id))
    second = await receive(world, world.shot(student_id))
    await inspect(world)
    assert world.photos.rows[first.shot.capture_id].state == "accepted"
    late = world.photos.rows[second.shot.capture_id]
    assert (late.state, late.cause) == ("rejected", "duplicate")
    assert late.photo_key in world.objects.rows


async def test_photo_before_its_student_waits_and_goes_on(world: World) -> None:
    """A photo and a check-in that come before roster's word are kept in silence and go on when it comes."""
    student_id = ids.StudentId(world.new_id())
    await receive(world, world.shot(student_id))
    await receive(world, world.shot(student_id, "retake", desk_rules=("P1",)))
    await inspect(world)
    assert world.said == []
    event = roster.StudentEnrolledV1(
        student_id=student_id,
        campaign_id=world.campaign_id,
        class_id=world.class_id,
        campus_id=world.campus_id,
        cohort="normal",
        eligible=True,
        ordinal=1,
        version=1,
    )
    await floor.on_student_told(world.work(), event)
    await floor.on_student_told(world.work(), event)
    await inspect(world)
    assert world.said == ["photo.received", "photo.received", "photo.rejected", "photo.accepted"]


async def test_photo_and_student_that_passed_each_other_are_brought_together(world: World) -> None:
    """When neither transaction saw the other, the sweep resolves the photo."""
    student_id = ids.StudentId(world.new_id())
    await receive(world, world.shot(student_id))
    await world.floor.put_student(
        known.Student(student_id, world.campaign_id, world.class_id, True, 1, withdrawn=False, version=1)
    )
    assert await floor.resolve_waiting(world.work()) == 1
    assert world.said == ["photo.received"]


async def test_student_of_another_campaign_is_refused(world: World) -> None:
    """A station cannot bind a photo to somebody outside its campaign."""
    student_id = await world.enrol_student()
    known = world.floor.rows[("student", student_id)]
    world.floor.rows[("student", student_id)] = replace(known, campaign_id=ids.CampaignId(world.new_id()))
    with pytest.raises(errors.Refused, match="student-of-another-campaign"):
        await receive(world, world.shot(student_id))


async def test_unreadable_image_is_rejected(world: World) -> None:
    """Bytes that are no picture are said to be so, at the first try."""
    world.inspector.readable = False
    photo = await receive(world, world.shot(await world.enrol_student()))
    await inspect(world)
    assert world.photos.rows[photo.shot.capture_id].cause == "unreadable"


async def test_image_that_breaks_its_reader_is_given_up_after_some_attempts(world: World) -> None:
    """A poison image is tried a few times, counted, and then rejected; it never blocks the queue."""
    world.inspector.fault = RuntimeError("broken")
    photo = await receive(world, world.shot(await world.enrol_student()))
    for _ in range(photos.ATTEMPTS + 1):
        await inspection.inspect_next(world.unit, world.objects, world.inspector)
    assert world.inspector.seen == photos.ATTEMPTS
    assert world.photos.rows[photo.shot.capture_id].cause == "unreadable"


async def test_image_that_kills_its_reader_is_given_up_too(world: World) -> None:
    """A worker that dies leaves its attempt counted, so that the next ones give up in the end."""
    photo = await receive(world, world.shot(await world.enrol_student()))
    for _ in range(photos.ATTEMPTS):
        assert await world.photos.claim(30) is not None
        world.photos.expire_leases()
    await inspect(world)
    assert world.inspector.seen == 0
    assert world.photos.rows[photo.shot.capture_id].cause == "unreadable"


async def test_store_outage_is_not_the_images_fault(world: World) -> None:
    """While the store is away no attempt is counted; afterwards the photo is accepted."""
    photo = await receive(world, world.shot(await world.enrol_student()))
    world.objects.away = True
    for _ in range(photos.ATTEMPTS * 3):
        await inspection.inspect_next(world.unit, world.objects, world.inspector)
    world.objects.away = False
    await inspect(world)
    assert world.photos.rows[photo.shot.capture_id].state == "accepted"


@pytest.mark.parametrize("fault", ["missing", "wrong_hash", "unreadable"])
async def test_a_lost_original_is_not_the_images_fault(world: World, fault: str) -> None:
    """However often its object is gone, altered or not readable: the photo waits, says so, and goes on once it is back.

    Negative control: bytes that are there and no picture are rejected at once (above).
    """
    photo = await receive(world, world.shot(await world.enrol_student()))
    original = world.objects.rows.pop(photo.original_key)
    if fault == "wrong_hash":
        world.objects.rows[photo.original_key] = original[:-1] + b"?"
    elif fault == "unreadable":
        world.objects.broken.add(photo.original_key)
    with structlog.testing.capture_logs() as lines:
        for _ in range(photos.ATTEMPTS * 3):
            assert await inspection.inspect_next(world.unit, world.objects, world.inspector)
    assert {line["fault"] for line in lines if line["event"] == "inspection.original-lost"} == {fault}
    assert world.photos.rows[photo.shot.capture_id].state == "received"
    assert await world.photos.lost() == {world.campaign_id: 1}
    world.objects.rows[photo.original_key] = original
    world.objects.broken.clear()
    await inspect(world)
    assert world.photos.rows[photo.shot.capture_id].state == "accepted"
    assert await world.photos.lost() == {}


async def test_what_was_called_unreadable_is_inspected_again(world: World) -> None:
    """Staff have it looked at anew, on record; anything else stays as it was judged."""
    world.inspector.readable = False
    photo = await receive(world, world.shot(await world.enrol_student()))
    await inspect(world)
    assert world.photos.rows[photo.shot.capture_id].cause == "unreadable"
    world.inspector.readable = True
    for _ in range(2):
        await binding.inspect_again(world.work(), photo.shot.capture_id, ACT)
    await inspect(world)
    assert world.photos.rows[photo.shot.capture_id].state == "accepted"
    assert [(note.act, note.author) for note in world.photos.notes] == [("inspected_again", "lead")]
    assert world.said == ["photo.received", "photo.rejected", "photo.accepted"]
    with pytest.raises(errors.Conflict, match="capture-not-unreadable"):
        await binding.inspect_again(world.work(), photo.shot.capture_id, ACT)


async def test_a_length_that_is_not_so_is_refused(world: World) -> None:
    """What the desk says of a frame's length is held against the object, before its bytes are read."""
    shot = world.shot(await world.enrol_student())
    with pytest.raises(errors.Conflict, match="original-hash-differs"):
        await receive(world, replace(shot, size_bytes=999_999))
    assert not await desk.is_stored(world.objects, shot.campaign_id, shot.sha256, 999_999)
    assert not world.photos.rows


async def test_worker_whose_lease_ran_out_changes_nothing(world: World) -> None:
    """Two workers on one photo: the one that was overtaken drops what it found."""
    photo = await receive(world, world.shot(await world.enrol_student()))
    slow = await world.photos.claim(30)
    assert slow is not None
    world.photos.expire_leases()
    await inspect(world)
    found = photos.Inspection("reject", ("X4",), "chsi-2017-99", None)
    assert await inspection.decide_photo(world.work(), slow, found, None) is None
    assert world.photos.rows[photo.shot.capture_id].state == "accepted"


async def test_rebind_moves_a_photo_with_author_reason_and_history(world: World) -> None:
    """A rebound photo is the other student's, its shot is untouched, and the history says who did it and why."""
    photo = await accepted(world)
    other = await world.enrol_student()
    act = binding.Act("lead", "crew_lead", "张三坐在了李四的位置上")
    (moved,) = await binding.rebind_photos(world.work(), to(other, photo), act)
    assert (moved.student_id, moved.shot.student_id, moved.version) == (other, photo.student_id, photo.version + 1)
    (note,) = world.photos.notes
    assert (note.author, note.role, note.reason, note.from_student_id, note.to_student_id) == (
        "lead",
        "crew_lead",
        act.reason,
        photo.student_id,
        other,
    )
    event = world.events.said[-1]
    assert isinstance(event, capture.PhotoReboundV1)
    assert event.reason == "other"
    await binding.rebind_photos(world.work(), to(other, photo), act)
    assert len(world.photos.notes) == 1


@pytest.mark.parametrize("typed", ["zhangwei", "wang_xiaoming", "Wrong_person", "wrong_person ", "王小明", ""])
def test_only_a_known_code_is_said_as_a_reason(typed: str) -> None:
    """What looks like a code may be a name in pinyin: events carry those that we know, and `other`."""
    assert photos.said_reason(typed) == "other"
    assert photos.said_reason("wrong_person") == "wrong_person"


async def test_swapped_neighbours_change_places_at_once(world: World) -> None:
    """Two photos that were swapped are moved together, though neither student is ever without one."""
    one, two = await accepted(world), await accepted(world)
    assert one.student_id is not None
    assert two.student_id is not None
    moves = {**to(two.student_id, one), **to(one.student_id, two)}
    await binding.rebind_photos(world.work(), moves, ACT)
    assert world.photos.rows[one.shot.capture_id].student_id == two.student_id
    assert world.photos.rows[two.shot.capture_id].student_id == one.student_id


async def test_rebind_onto_a_student_with_a_photo_is_refused_whole(world: World) -> None:
    """Nothing of a set of moves is done when one of them would give a student two photos."""
    one, two, other = await accepted(world), await accepted(world), await world.enrol_student()
    assert two.student_id is not None
    before = dict(world.photos.rows)
    with pytest.raises(errors.Conflict, match="student-has-photo"):
        await binding.rebind_photos(world.work(), to(two.student_id, one), ACT)
    assert world.photos.rows == before
    assert not world.photos.notes
    await binding.rebind_photos(world.work(), to(other, one), ACT)


async def test_a_move_on_an_old_look_is_refused_whole(world: World) -> None:
    """Who believes a photo to be another's than it is by now moves nothing, not even the rest of the set."""
    one, two = await accepted(world), await accepted(world)
    others = [await world.enrol_student() for _ in range(3)]
    await binding.rebind_photos(world.work(), to(others[0], one), ACT)
    before = dict(world.photos.rows)
    with pytest.raises(errors.Conflict, match="photo-moved-meanwhile"):
        await binding.rebind_photos(world.work(), {**to(others[1], one), **to(others[2], two)}, ACT)
    assert world.photos.rows == before
    assert len(world.photos.notes) == 1


async def test_a_photo_returns_only_to_who_is_on_the_roster(world: World) -> None:
    """As with rebinding: a student who left the roster gets no photo, and one who changed class gets it there."""
    photo = await accepted(world)
    assert photo.student_id is not None
    await binding.withdraw_photo(world.work(), photo.shot.capture_id, ACT)
    student = world.floor.rows[("student", photo.student_id)]
    world.floor.rows[("student", photo.student_id)] = replace(student, withdrawn=True)
    with pytest.raises(errors.NotFound, match="student-not-known"):
        await binding.reinstate_photo(world.work(), photo.shot.capture_id, ACT)
    moved = ids.ClassId(world.new_id())
    world.floor.rows[("student", photo.student_id)] = replace(student, class_id=moved)
    assert (await binding.reinstate_photo(world.work(), photo.shot.capture_id, ACT)).class_id == moved


async def test_withdrawn_photo_makes_room_and_can_return(world: World) -> None:
    """A withdrawal frees the student: the photo that had lost to it can be put in force, and then it cannot return."""
    student_id = await world.enrol_student()
    first = await receive(world, world.shot(student_id))
    second = await receive(world, world.shot(student_id))
    await inspect(world)
    with pytest.raises(errors.Conflict, match="student-has-photo"):
        await binding.reinstate_photo(world.work(), second.shot.capture_id, ACT)
    await binding.withdraw_photo(world.work(), first.shot.capture_id, ACT)
    await binding.withdraw_photo(world.work(), first.shot.capture_id, ACT)
    await binding.reinstate_photo(world.work(), second.shot.capture_id, ACT)
    with pytest.raises(errors.Conflict, match="student-has-photo"):
        await binding.reinstate_photo(world.work(), first.shot.capture_id, ACT)
    assert world.said[-2:] == ["photo.withdrawn", "photo.accepted"]


async def test_rejected_by_the_standard_cannot_return(world: World) -> None:
    """A photo that breaks the standard is not put in force by hand."""
    world.inspector.verdict = "reject"
    photo = await receive(world, world.shot(await world.enrol_student()))
    await inspect(world)
    with pytest.raises(errors.Conflict, match="capture-cannot-return"):
        await binding.reinstate_photo(world.work(), photo.shot.capture_id, ACT)
    with pytest.raises(errors.Conflict, match="capture-not-in-force"):
        await binding.withdraw_photo(world.work(), photo.shot.capture_id, ACT)


@given(st.lists(st.sampled_from(["keep", "retake", "override"]), min_size=1, max_size=6))
async def test_versions_of_a_photo_grow_by_one_with_each_event(decisions: list[photos.Decision]) -> None:
    """Whatever is decided, a photo's events carry 1, 2 without a gap, and a student has at most one in force."""
    world = World()
    await world.open()
    student_id = await world.enrol_student()
    for decision in decisions:
        await receive(world, world.shot(student_id, decision))
    await inspect(world)
    by_photo: dict[str, list[int]] = {}
    for event in world.events.said:
        by_photo.setdefault(event.key, []).append(event.version)
    assert all(versions == [1, 2] for versions in by_photo.values())
    in_force = [photo for photo in world.photos.rows.values() if photo.state == "accepted"]
    assert len(in_force) == (1 if set(decisions) - {"retake"} else 0)


@pytest.mark.parametrize(
    ("desk_verdict", "verdict", "refusal"),
    [("accept", "reject", True), ("reject", "accept", True), ("accept", "review", False), ("review", "review", None)],
)
async def test_another_verdict_than_the_desks_is_told(
    world: World, desk_verdict: photos.Verdict, verdict: photos.Verdict, refusal: bool | None
) -> None:
    """The authority's word holds, and that it is another is an event and is counted; the same word is neither."""
    world.inspector.verdict, world.inspector.rules = verdict, ("X4",)
    shot = world.shot(await world.enrol_student(), desk_verdict=desk_verdict, desk_rules=("P1",))
    counter = (
        f'verdict_disagreements_total{{campus="boda",desk="A1",desk_verdict="{desk_verdict}",verdict="{verdict}"}}'
    )
    before = [line for line in metrics.exposition().decode().splitlines() if counter in line]
    await receive(world, shot)
    await inspect(world)
    told = [event for event in world.events.said if isinstance(event, capture.VerdictDifferedV1)]
    assert [event.refusal for event in told] == ([] if refusal is None else [refusal])
    assert all((event.desk_rules, event.rules, event.version) == (("P1",), ("X4",), 2) for event in told)
    after = [line for line in metrics.exposition().decode().splitlines() if counter in line]
    assert (after != before) is bool(told)


async def test_a_composed_picture_says_where_it_comes_from(world: World) -> None:
    """Its lineage names the original and what made it; the original is held, and is what it was."""
    photo = await accepted(world)
    (lineage,) = world.photos.derivatives
    assert (lineage.original_sha256, lineage.sha256) == (photo.shot.sha256, photo.photo_sha256)
    assert world.objects.kept == [photo.original_key]
