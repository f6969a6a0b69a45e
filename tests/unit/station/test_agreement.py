"""What a desk sends is what capture's doors take, and what capture gives is what a desk reads."""

from datetime import timedelta

from pydantic import BaseModel

from gradphoto_contracts import ids
from kit import ids as new_ids
from services.capture.api import bodies
from station.domain.pack import Pack
from station.handlers import frames, queue, sessions
from tests.unit.station.fakes import START, Bench

BODIES: dict[str, type[BaseModel]] = {
    "checkin": bodies.Checkin,
    "capture": bodies.Capture,
    "drift": bodies.Drift,
    "session": bodies.SealAsked,
}


async def test_every_message_is_a_body_that_capture_takes() -> None:
    """A day with a retake, a drift, a test shot, an override and a seal: no message would be refused as malformed."""
    bench = Bench()
    await sessions.open_session(bench.work)
    for place in range(3):
        await queue.check_in(bench.work, f"scan-{place}")
    await queue.seat(bench.work, "A-0002")
    await queue.resolve_drift(bench.work, "seen", None)
    shot = await frames.press_shutter(bench.work)
    await frames.decide(bench.work, shot.frame.capture_id, "retake", None)
    shot = await frames.press_shutter(bench.work)
    await frames.decide(bench.work, shot.frame.capture_id, "override", "scar", "crew_lead")
    bench.camera.fire()
    await frames.take_in_waiting(bench.work, live=True)
    await queue.resolve_drift(bench.work, "dismiss", None)
    await sessions.seal(bench.work, 0)
    for message in bench.journal.messages:
        BODIES[message.kind].model_validate(message.body)
    assert {message.kind for message in bench.journal.messages} == set(BODIES)
    decisions = [message.body["decision"] for message in bench.journal.messages if message.kind == "capture"]
    assert decisions == ["retake", "override", "unbound"]


def test_a_pack_of_capture_s_is_read() -> None:
    """The server's pack, as its door would send it."""
    class_id = new_ids.new()
    sent = bodies.DeskPack(
        etag='"3-0-a-b-2024052001"',
        fresh_minutes=90,
        version=3,
        issued_at=START,
        expires_at=START + timedelta(hours=72),
        campaign_id=new_ids.new(),
        identity_mode="capture_code",
        campaign_code_key="00" * 32,
        photo=bodies.PackPhoto(profile="chsi-2017-99", retake_limit=3),
        desk=bodies.PackDesk(desk_id=new_ids.new(), code="A", group_code="A", campus_code="M", next_ticket=12),
        classes=[bodies.PackClass(class_id=class_id, label="2024-1", order_code=None)],
        entries=[
            bodies.PackEntry(
                student_id=new_ids.new(), class_id=class_id, digest=None, ordinal=1, eligible=True, photographed=False
            )
        ],
    )
    read = Pack.model_validate_json(sent.model_dump_json())
    assert (read.desk.next_ticket, read.fresh_minutes) == (12, 90)
    assert read.entries[0].class_id == ids.ClassId(class_id)
