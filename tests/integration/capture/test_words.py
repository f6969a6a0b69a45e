"""What staff and operators typed is sealed in the database, shown to who may read it, and that is on record."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from kit import auth, crypto, documents, messages
from kit import ids as kit_ids
from services.capture import store
from services.capture.domain import consents
from tests.integration.capture import callers
from tests.integration.capture.conftest import Capture

#: Nobody bears it: whoever types a name into a reason types one like this.
NAME = "欧鼯鼫鼷"
AT = "2024-05-20T09:00:00+08:00"


@pytest.fixture
async def doors(capture: Capture) -> AsyncIterator[callers.Doors]:
    """The web door over the real database and store."""
    async with callers.served(capture) as opened:
        yield opened


@pytest.fixture
async def station(doors: callers.Doors) -> callers.Station:
    """A station that has enrolled itself."""
    return await callers.enrolled(doors)


async def everything(capture: Capture) -> str:
    """All rows of all tables as the database itself writes them out."""
    async with capture.database.read() as tx:
        rows = [
            str(row)
            for table in store.METADATA.sorted_tables
            for row in (await tx.execute(sa.text(f"select t::text from {table.fullname} t"))).scalars()
        ]
    return "\n".join(rows)


def found(text: str) -> bool:
    """Whether the name stands in it, as text, as bytes in hexadecimal, or escaped."""
    forms = [NAME, *(NAME.encode(coding).hex() for coding in ("utf-8", "gb18030", "utf-16-le"))]
    return any(form in text for form in (*forms, "".join(f"\\u{ord(letter):04x}" for letter in NAME)))


async def overridden(doors: callers.Doors, station: callers.Station) -> tuple[UUID, dict[str, Any]]:
    """A photo that somebody let pass, with a name in the reason."""
    await station.upload(b"frame")
    override = {"role": "crew_lead", "reason": f"{NAME} 戴镜习惯", "at": AT}
    student_id = await doors.capture.enrol_student()
    frame = callers.taken(student_id, b"frame", decision="override", desk_verdict="reject", override=override)
    capture_id = kit_ids.new()
    for _ in range(2):
        assert (await station.ask("PUT", f"/v1/captures/{capture_id}", frame)).is_success
    return capture_id, frame


async def test_reasons_are_sealed_and_shown_on_record(doors: callers.Doors, station: callers.Station) -> None:
    """Override, rebinding, withdrawal, a settled session: no row, event or list holds the name, the history does."""
    capture = doors.capture
    capture_id, frame = await overridden(doors, station)
    await callers.accept_all(capture)
    other, path = await capture.enrol_student(2), f"/v1/captures/{capture_id}"
    whose = {"student_id": str(other), "from_student_id": frame["student_id"]}
    assert (await doors.staff("POST", f"{path}/rebind", {**whose, "reason": NAME})).is_success
    assert (await doors.staff("POST", f"{path}/withdraw", {"reason": NAME})).is_success
    session_id = kit_ids.new()
    await station.seal(session_id, {"camera_frames": 9, "journalled": [callers.journalled(capture_id, frame)]})
    settled = await doors.staff("POST", f"/v1/sessions/{session_id}/settle", {"reason": f"{NAME} 走了"})
    assert settled.json()["state"] == "settled"
    assert not found(await everything(capture))
    assert capture_id.hex in (await everything(capture)).replace("-", "")
    for listed in ("captures", "photos", "sessions"):
        assert NAME not in (await doors.staff("GET", f"/v1/campaigns/{capture.campaign_id}/{listed}")).text
    assert await capture.rows(store.VIEWS) == []
    history = (await doors.staff("GET", path)).json()["history"]
    told = [(line["act"], line["role"], line["reason"]) for line in history]
    acts = [("overridden", "crew_lead", f"{NAME} 戴镜习惯"), ("rebound", "admin", NAME), ("withdrawn", "admin", NAME)]
    assert told == acts
    assert history[0]["author"] == f"station {station.station_id}"
    whole = (await doors.staff("GET", f"/v1/sessions/{session_id}")).json()
    assert whole["settled_reason"] == f"{NAME} 走了"
    looks = sorted((row["subject_id"], row["viewer"], row["what"]) for row in await capture.rows(store.VIEWS))
    assert looks == sorted([(capture_id, "somebody", "history"), (session_id, "somebody", "session")])


async def test_other_words_under_the_same_id_are_refused(doors: callers.Doors, station: callers.Station) -> None:
    """They are known by their mark: nothing is opened to tell that they differ."""
    capture_id, frame = await overridden(doors, station)
    for other in ({"reason": "眼镜"}, {"role": "registrar"}):
        answer = await station.ask(
            "PUT", f"/v1/captures/{capture_id}", {**frame, "override": {**frame["override"], **other}}
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "capture-differs")


async def test_sealed_words_open_for_their_own_row_alone(doors: callers.Doors, station: callers.Station) -> None:
    """A reason copied to another photo's history does not open there; the database refuses one that is plain."""
    capture = doors.capture
    await overridden(doors, station)
    (row,) = await capture.rows(store.HISTORY)
    async with capture.database.transaction() as tx:
        await tx.execute(sa.insert(store.HISTORY).values({**row, "capture_id": (stranger := kit_ids.new())}))
    async with capture.unit() as work:
        with pytest.raises(crypto.Tampered):
            await work.reports.history(stranger)  # type: ignore[arg-type]
    said = f"{NAME} 戴镜习惯，特此说明".encode()
    plain = sa.insert(store.HISTORY).values({**row, "version": 7, "reason_sealed": said})
    async with capture.database.engine.connect() as tx:
        with pytest.raises(sa.exc.IntegrityError, match="reason_is_sealed"):
            await tx.execute(plain)


@pytest.mark.parametrize("first", ["with", "without"])
async def test_who_let_a_student_in_is_kept_in_any_order(
    doors: callers.Doors, station: callers.Station, first: str
) -> None:
    """Told by the desk that did it; another desk's word of the same check-in may come before or after it."""
    capture = doors.capture
    student_id, checkin_id = await capture.enrol_student(), kit_ids.new()
    plain = {"student_id": str(student_id), "ticket": "A1-0001", "checked_in_at": AT}
    whole = {**plain, "let_in": {"role": "college_teacher", "reason": NAME, "at": AT}}
    told = [whole, plain] if first == "with" else [plain, whole]
    for body in told * 2:
        assert (await station.ask("PUT", f"/v1/checkins/{checkin_id}", body)).is_success
    other = {**plain, "let_in": {"role": "college_teacher", "reason": "走错", "at": AT}}
    assert (await station.ask("PUT", f"/v1/checkins/{checkin_id}", other)).json()["code"] == "checkin-differs"
    assert not found(await everything(capture))
    (line,) = (await doors.staff("GET", f"/v1/students/{student_id}/history")).json()["let_in"]
    assert (line["role"], line["reason"], line["checkin_id"]) == ("college_teacher", NAME, str(checkin_id))
    (look,) = await capture.rows(store.VIEWS)
    assert (look["subject_id"], look["what"]) == (student_id, "student")


def consent(station: callers.Station, consent_id: UUID, student_id: UUID, **other: Any) -> dict[str, Any]:
    """A student's word as the desk signs it."""
    words = messages.catalogue()["face-consent-1"]
    body = {
        "student_id": str(student_id),
        "given": True,
        "text": "1",
        "text_sha256": consents.digest_of(words.zh, words.en),
        "at": AT,
        **other,
    }
    document = {**body, "consent_id": str(consent_id), "station_id": str(station.station_id)}
    return {**body, "signature": auth.Stamp(station.private_pem, documents.CONSENT).sign(documents.canonical(document))}


async def test_consent_can_be_shown_to_whoever_asks(doors: callers.Doors, station: callers.Station) -> None:
    """Who agreed to which words, when, by whose signature; taken back, it holds no more, and both stay on record."""
    capture = doors.capture
    student_id, yes, no = kit_ids.new(), kit_ids.new(), kit_ids.new()
    given = consent(station, yes, student_id)
    taken_back = consent(station, no, student_id, given=False, at="2024-05-20T09:05:00+08:00")
    for key, body in ((no, taken_back), (yes, given), (yes, given), (no, taken_back)):  # before roster's word
        assert (await station.ask("PUT", f"/v1/consents/{key}", body)).is_success
    await capture.hear(capture.student(student_id))  # type: ignore[arg-type]
    told = (await doors.staff("GET", f"/v1/students/{student_id}/history")).json()
    assert [(one["given"], one["text_zh"] is not None) for one in told["consents"]] == [(True, True), (False, True)]
    assert told["consent_in_force"] is None
    (row,) = [row for row in await capture.rows(store.STATIONS) if row["station_id"] == station.station_id]
    for one in told["consents"]:
        content = documents.canonical(one["document"])
        assert auth.stamped(row["public_key_pem"], documents.CONSENT, content, one["signature"])
    again = consent(station, last := kit_ids.new(), student_id, at="2024-05-20T09:06:00+08:00")
    assert (await station.ask("PUT", f"/v1/consents/{last}", again)).is_success
    told = (await doors.staff("GET", f"/v1/students/{student_id}/history")).json()
    assert told["consent_in_force"] == str(last)


async def test_a_consent_nobody_signed_is_none(doors: callers.Doors, station: callers.Station) -> None:
    """Altered after it was signed, said under another id, or with a time that is none: refused, and nothing is kept."""
    student_id, key = await doors.capture.enrol_student(), kit_ids.new()
    body = consent(station, key, student_id)
    for path, sent, code in (
        (key, {**body, "given": False}, "consent-signature-invalid"),
        (kit_ids.new(), body, "consent-signature-invalid"),
        (key, consent(station, key, student_id, at="yesterday"), "consent-malformed"),
        (key, consent(station, key, student_id, at="2024-05-20T09:00:00"), "consent-malformed"),
    ):
        answer = await station.ask("PUT", f"/v1/consents/{path}", sent)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await doors.capture.rows(store.CONSENTS) == []
    assert (await station.ask("PUT", f"/v1/consents/{key}", body)).is_success
    other = consent(station, key, student_id, given=False)
    assert (await station.ask("PUT", f"/v1/consents/{key}", other)).json()["code"] == "consent-differs"
