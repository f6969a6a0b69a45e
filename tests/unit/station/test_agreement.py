"""What a desk sends is what capture's doors take, and what capture gives is what a desk reads."""

from datetime import timedelta

from pydantic import BaseModel

from gradphoto_contracts import ids
from kit import ids as new_ids
from services.capture.api.bodies import desk as desk_bodies
from services.capture.api.bodies import halls as halls_bodies
from services.capture.api.bodies import packs as packs_bodies
from services.capture.api.bodies import seals as seals_bodies
from station.domain import facts
from station.domain.pack import Pack
from station.handlers import comparing, frames, queue, sessions
from tests.unit.station.fakes import START, Bench

BODIES: dict[str, type[BaseModel]] = {
    "checkin": desk_bodies.Checkin,
    "release": halls_bodies.Release,
    "consent": desk_bodies.Consent,
    "capture": desk_bodies.Capture,
    "drift": desk_bodies.Drift,
    "session": seals_bodies.SealAsked,
}


class Faceless:
    """Compares nothing."""

    async def compare(self, ticket: str, jpeg: bytes) -> dict[facts.Against, float]:
        return {}

    async def expect(self, ticket: str, picture: bytes) -> bool:
        return False

    def drop(self, ticket: str) -> None: ...
    def forget(self) -> None: ...
    def close(self) -> None: ...


async def test_every_message_is_a_body_that_capture_takes() -> None:
    """A day with a retake, a drift, a test shot, an override, a consent, somebody let in: none would be refused."""
    bench = Bench()
    await sessions.open_session(bench.work)
    for place in range(3):
        await queue.check_in(bench.work, f"scan-{place}")
    await queue.check_in_by_hand(bench.work, bench.students[3], "forgot the code")
    await queue.release(bench.work, "A-0004", "left")
    bench.work.faces, bench.packs.face_consent = Faceless(), "1"
    await comparing.note_consent(bench.work, "A-0002", given=True)
    await queue.seat(bench.work, "A-0002")
    await bench.answer("seen")
    shot = await frames.press_shutter(bench.work)
    await frames.decide(bench.work, shot.frame.capture_id, "retake", None)
    shot = await frames.press_shutter(bench.work)
    await frames.decide(bench.work, shot.frame.capture_id, "override", "scar", "crew_lead")
    bench.camera.fire()
    await frames.take_in_waiting(bench.work, live=True)
    await bench.answer("dismiss")
    await sessions.seal(bench.work, 0)
    for message in bench.journal.messages:
        BODIES[message.kind].model_validate(message.body)
    let_in = [message.body["let_in"] for message in bench.journal.messages if "let_in" in message.body]
    assert [(one["role"], one["reason"]) for one in let_in] == [("registrar", "forgot the code")]
    assert {message.kind for message in bench.journal.messages} == set(BODIES)
    decisions = [message.body["decision"] for message in bench.journal.messages if message.kind == "capture"]
    assert decisions == ["retake", "override", "unbound"]


def test_a_pack_of_capture_s_is_read() -> None:
    """The server's pack, as its door would send it."""
    class_id = new_ids.new()
    sent = packs_bodies.DeskPack(
        etag='"3-0-a-b-2024052001"',
        fresh_minutes=90,
        version=3,
        issued_at=START,
        expires_at=START + timedelta(hours=72),
        campaign_id=new_ids.new(),
        identity_mode="capture_code",
        campaign_code_key="00" * 32,
        photo=packs_bodies.PackPhoto(profile="chsi-2017-99", retake_limit=3),
        desk=packs_bodies.PackDesk(desk_id=new_ids.new(), code="A", group_code="A", campus_code="M", next_ticket=12),
        classes=[packs_bodies.PackClass(class_id=class_id, label="2024-1", order_code=None)],
        entries=[
            packs_bodies.PackEntry(
                student_id=new_ids.new(), class_id=class_id, digest=None, ordinal=1, eligible=True, photographed=False
            )
        ],
    )
    read = Pack.model_validate_json(sent.model_dump_json())
    assert (read.desk.next_ticket, read.fresh_minutes) == (12, 90)
    assert read.entries[0].class_id == ids.ClassId(class_id)
