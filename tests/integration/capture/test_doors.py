"""A station's whole dialogue with capture over HTTP, signed with real keys, and what staff see of it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from kit import auth, crypto, documents, metrics
from kit import ids as kit_ids
from services.capture import store
from services.capture.handlers import seals
from station.cameras import portraits
from tests.integration.capture import callers
from tests.integration.capture.callers import Doors, Station, inspect_all, journalled, taken
from tests.integration.capture.conftest import Capture


@pytest.fixture
async def doors(capture: Capture) -> AsyncIterator[Doors]:
    """The web door over the real database and store."""
    async with callers.served(capture) as opened:
        yield opened


@pytest.fixture
async def station(doors: Doors) -> Station:
    """A station that was invited by staff and has enrolled itself."""
    return await callers.enrolled(doors)


async def test_day_of_a_desk(doors: Doors, station: Station) -> None:
    """Pack, check-in, upload, capture, inspection by the real standard, heartbeat, seal: and staff see all of it."""
    capture = doors.capture
    student_id, absent = await capture.enrol_student(1), await capture.enrol_student(2)
    original = await asyncio.to_thread(portraits.draw, 7)
    capture_id, checkin_id, session_id = kit_ids.new(), kit_ids.new(), kit_ids.new()
    ticket = {"student_id": str(student_id), "ticket": "A1-0001", "checked_in_at": "2024-05-20T09:00:00+08:00"}
    assert (await station.ask("PUT", f"/v1/checkins/{checkin_id}", ticket)).status_code == 200
    await station.upload(original)
    frame = taken(student_id, original, checkin_id=str(checkin_id), ticket="A1-0001")
    stored = await station.ask("PUT", f"/v1/captures/{capture_id}", frame)
    assert (stored.status_code, stored.json()["state"]) == (200, "received")
    assert station.believes("capture", capture_id, frame, stored.json())
    assert not station.believes("capture", kit_ids.new(), frame, stored.json())
    assert not station.believes("capture", capture_id, frame | {"sha256": "0" * 64}, stored.json())
    await inspect_all(capture)
    assert (await station.ask("POST", "/v1/heartbeats", {"backlog": 0, "camera": "V1", "new_field": 1})).is_success
    seal = {
        "camera_frames": 1,
        "cameras": [{"serial": "V1", "before": 0, "after": 1}],
        "journalled": [journalled(capture_id, frame)],
        "opened_at": "2024-05-20T09:00:00+08:00",
    }
    sealed = (await station.seal(session_id, seal)).json()
    assert (sealed["state"], sealed["stored_frames"], sealed["balanced"]) == ("sealed", 1, True)
    said = ["station.enrolled", "checkin.recorded", "photo.received", "photo.accepted", "station.seen"]
    assert await capture.said() == [*said, "session.sealed"]

    of_campaign = f"/v1/campaigns/{capture.campaign_id}"
    progress = (await doors.staff("GET", f"{of_campaign}/progress")).json()
    (of_class,), (of_desk,) = progress["by_class"], progress["by_desk"]
    assert (of_class["eligible"], of_class["checked_in"], of_class["photographed"]) == (2, 1, 1)
    assert (of_desk["checkins"], of_desk["captures"], of_desk["accepted"], of_desk["retakes"]) == (1, 1, 1, 0)
    (photo,) = (await doors.staff("GET", f"{of_campaign}/photos")).json()["items"]
    assert photo["student_id"] == str(student_id)
    (missing,) = (await doors.staff("GET", f"{of_campaign}/missing")).json()["items"]
    assert missing["student_id"] == str(absent)
    (fleet,) = (await doors.staff("GET", f"/v1/stations?campaign_id={capture.campaign_id}")).json()["items"]
    assert (fleet["online"], fleet["camera"], fleet["desk_code"]) == (True, "V1", "A1")
    whole = (await doors.staff("GET", f"/v1/captures/{capture_id}")).json()
    (lineage,) = whole["derivatives"]
    assert (lineage["original_sha256"], lineage["sha256"]) == (frame["sha256"], photo["photo_sha256"])
    assert lineage["profile"].startswith("chsi-2017-99 ")
    assert re.fullmatch(r"gradphoto \S+ photospec [0-9a-f]{12}", lineage["maker"])
    image = (await doors.staff("GET", f"/v1/captures/{capture_id}/image")).json()
    async with httpx.AsyncClient(trust_env=False) as plain:
        picture = (await plain.get(image["url"])).content
    assert sha256(picture).hexdigest() == photo["photo_sha256"]
    views = sorted((view["viewer"], view["what"]) for view in await capture.rows(store.VIEWS))
    assert views == [("somebody", "history"), ("somebody", "photo")]


async def test_picture_of_nobody_is_refused_by_the_authority(doors: Doors, station: Station) -> None:
    """Whatever a desk says, an image without a face is rejected with its rules, and so are bytes that are no image."""
    capture = doors.capture
    empty = await asyncio.to_thread(portraits.draw, 7, flaw=portraits.Flaw("no_face"))
    for original in (empty, b"\xff\xd8 no picture"):
        await station.upload(original)
        frame = taken(await capture.enrol_student(), original)
        assert (await station.ask("PUT", f"/v1/captures/{kit_ids.new()}", frame)).is_success
    await inspect_all(capture)
    rows = await capture.rows(store.CAPTURES)
    assert {(row["state"], row["cause"]) for row in rows} == {("rejected", "standard"), ("rejected", "unreadable")}
    assert next(row["rules"] for row in rows if row["cause"] == "standard")


async def test_capture_may_come_before_its_checkin(doors: Doors, station: Station) -> None:
    """Order does not matter: the frame first, then the check-in, then both again."""
    student_id, checkin_id, capture_id = await doors.capture.enrol_student(), kit_ids.new(), kit_ids.new()
    await station.upload(b"frame")
    frame = taken(student_id, b"frame", checkin_id=str(checkin_id), ticket="A1-0001")
    ticket = {"student_id": str(student_id), "ticket": "A1-0001", "checked_in_at": "2024-05-20T09:00:00+08:00"}
    for _ in range(2):
        assert (await station.ask("PUT", f"/v1/captures/{capture_id}", frame)).is_success
        assert (await station.ask("PUT", f"/v1/checkins/{checkin_id}", ticket)).is_success
    assert (await doors.capture.said())[1:] == ["photo.received", "checkin.recorded"]


async def test_killed_between_upload_and_put(doors: Doors, station: Station) -> None:
    """A station that died after its upload asks again, is told that the original is there, and only tells of it."""
    await station.upload(b"frame")
    asked = {"capture_id": str(kit_ids.new()), "sha256": sha256(b"frame").hexdigest(), "size_bytes": 5}
    assert (await station.ask("POST", "/v1/uploads", asked)).json()["exists"] is True
    frame = taken(await doors.capture.enrol_student(), b"frame")
    assert (await station.ask("PUT", f"/v1/captures/{kit_ids.new()}", frame)).is_success


async def test_cut_upload_is_found_and_mended(doors: Doors, station: Station) -> None:
    """Bytes that are not what the hash says are refused, asked for again, and accepted when whole."""
    capture = doors.capture
    digest = sha256(b"whole frame").hexdigest()
    key = f"originals/{capture.campaign_id}/{digest}.jpg"
    capture_id, frame = kit_ids.new(), taken(await capture.enrol_student(), b"whole frame")
    refused = await station.ask("PUT", f"/v1/captures/{capture_id}", frame)
    assert (refused.status_code, refused.json()["code"]) == (409, "original-missing")
    await capture.objects.put(key, b"whole fr", "image/jpeg")
    refused = await station.ask("PUT", f"/v1/captures/{capture_id}", frame)
    assert (refused.status_code, refused.json()["code"]) == (409, "original-hash-differs")
    await station.upload(b"whole frame")
    assert (await station.ask("PUT", f"/v1/captures/{capture_id}", frame)).is_success


async def test_twenty_same_puts_over_http(doors: Doors, station: Station) -> None:
    """Twenty at once get the same answer; one that says something else gets a conflict."""
    await station.upload(b"frame")
    path, frame = f"/v1/captures/{kit_ids.new()}", taken(await doors.capture.enrol_student(), b"frame")
    answers = await asyncio.gather(*(station.ask("PUT", path, frame) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    other = await station.ask("PUT", path, frame | {"frame_counter": 2})
    assert (other.status_code, other.json()["code"]) == (409, "capture-differs")
    assert (await doors.capture.said()).count("photo.received") == 1


async def test_signature_covers_body_path_key_and_time(doors: Doors, station: Station) -> None:
    """What is altered, signed by another key or long ago is refused; a wrong clock is told the time."""
    path, body = f"/v1/drifts/{kit_ids.new()}", {"sign": "frame_missing", "expected": "3", "seen": "4"}
    body["suspected_at"] = "2024-05-20T09:00:00+08:00"
    altered = await station.ask("PUT", path, body, sent=json.dumps(body | {"seen": "5"}).encode())
    assert altered.status_code == 401
    stranger = Station(doors, station.station_id, crypto.new_key()[0])
    assert (await stranger.ask("PUT", path, body)).status_code == 401
    assert (await Station(doors, uuid4(), station.private_pem).ask("PUT", path, body)).status_code == 401
    assert (await doors.staff("PUT", path, body)).status_code == 401
    late = await station.ask("PUT", path, body, skew=timedelta(minutes=-11))
    assert (late.status_code, late.json()["code"]) == (401, "station-clock-skew")
    assert late.json()["params"]["server_time"] == doors.capture.clock.now().isoformat()
    assert (await station.ask("PUT", path, body, skew=timedelta(minutes=9))).json() == {"state": "suspected"}
    assert (await station.ask("PUT", path, body | {"resolution": "seen"})).json() == {"state": "resolved"}
    assert (await doors.capture.said())[1:] == ["drift.suspected", "drift.suspected"]


async def test_revoked_station_is_shut_out(doors: Doors, station: Station) -> None:
    """From the moment of its revocation a station's requests are refused."""
    assert (await doors.staff("POST", f"/v1/stations/{station.station_id}/revoke")).is_success
    refused = await station.ask("GET", "/v1/desk-pack")
    assert (refused.status_code, refused.json()["code"]) == (403, "station-revoked")


async def test_enrolment_needs_the_private_key_and_a_fresh_code(doors: Doors, station: Station) -> None:
    """A public key alone, a used code, or no key at all enrols nobody."""
    capture = doors.capture
    invitation = {"campaign_id": str(capture.campaign_id), "desk_id": str(capture.desk_id), "label": "笔记本 2"}
    one_time = (await doors.staff("POST", "/v1/stations", invitation)).json()["enrolment_code"]
    (private_pem, public_pem), (other_pem, other_public) = crypto.new_key(), crypto.new_key()
    thief = Station(doors, UUID(int=0), other_pem)
    body = {"code": one_time, "public_key_pem": public_pem}
    assert (await thief.ask("POST", "/v1/enrolments", body)).status_code == 401
    assert (await thief.ask("POST", "/v1/enrolments", body | {"public_key_pem": "none"})).status_code == 422
    owner = Station(doors, UUID(int=0), private_pem)
    first, again = [await owner.ask("POST", "/v1/enrolments", body) for _ in range(2)]
    assert first.json() == again.json()
    stolen = await thief.ask("POST", "/v1/enrolments", body | {"public_key_pem": other_public})
    assert (stolen.status_code, stolen.json()["code"]) == (403, "enrolment-code-used")
    rows = await capture.rows(store.STATIONS)
    assert all(one_time not in str(row) for row in rows)


async def test_staff_see_and_move_within_their_scope(doors: Doors, station: Station) -> None:
    """Another campaign, campus or class, or a role without the right, gets nothing."""
    capture = doors.capture
    student_id = await capture.enrol_student()
    await station.upload(b"frame")
    capture_id = kit_ids.new()
    await station.ask("PUT", f"/v1/captures/{capture_id}", taken(student_id, b"frame"))
    progress = f"/v1/campaigns/{capture.campaign_id}/progress"
    assert (await doors.client.get(progress)).status_code == 401
    assert (await doors.staff("GET", progress, role="student")).status_code == 403
    assert (await doors.staff("GET", progress, campaign=uuid4())).status_code == 403
    own = (await doors.staff("GET", progress, role="class_contact", class_=capture.class_id)).json()
    other = (await doors.staff("GET", progress, role="class_contact", class_=uuid4())).json()
    assert (len(own["by_class"]), other["by_class"]) == (1, [])
    one = f"/v1/captures/{capture_id}"
    assert (await doors.staff("GET", one, college="软件学院")).json()["capture"]["student_id"] == str(student_id)
    assert (await doors.staff("GET", one, college="历史学院")).status_code == 403
    assert (await doors.staff("GET", f"{one}/image?kind=original", campus=uuid4())).status_code == 403
    withdrawal = {"reason": "bad_photo"}
    assert (await doors.staff("POST", f"{one}/withdraw", withdrawal, role="operator")).status_code == 403
    refused = await doors.staff("POST", f"{one}/withdraw", withdrawal, role="crew_lead")
    assert (refused.status_code, refused.json()["code"]) == (409, "capture-not-in-force")
    audit = {"campaign_id": str(capture.campaign_id)}
    assert (await doors.staff("POST", "/v1/audits", audit, role="class_contact")).status_code == 403
    assert (await doors.staff("POST", "/v1/audits", audit, role="auditor", campus=uuid4())).status_code == 403


async def test_lists_go_on_where_they_ended(doors: Doors, station: Station) -> None:
    """Pages follow each other without gap or repeat."""
    await station.upload(b"frame")
    for _ in range(5):
        await station.ask("PUT", f"/v1/captures/{kit_ids.new()}", taken(None, b"frame"))
    path = f"/v1/campaigns/{doors.capture.campaign_id}/captures?limit=2"
    page = (await doors.staff("GET", path)).json()
    seen = [row["capture_id"] for row in page["items"]]
    while page["next"]:
        page = (await doors.staff("GET", f"{path}&after={page['next']}")).json()
        seen += [row["capture_id"] for row in page["items"]]
    assert len(seen) == len(set(seen)) == 5


async def test_malformed_words_are_refused_without_quoting_them(doors: Doors, station: Station) -> None:
    """A name where a mark belongs is refused, and the answer does not repeat it."""
    body = {"sign": "frame_missing", "expected": "张三", "seen": "4", "suspected_at": "2024-05-20T09:00:00+08:00"}
    answer = await station.ask("PUT", f"/v1/drifts/{kit_ids.new()}", body)
    assert answer.status_code == 422
    assert "张三" not in answer.text


async def test_the_largest_values_that_are_taken_can_be_kept(doors: Doors, station: Station) -> None:
    """What the bodies' bounds let in, the database holds: no answer is a failure of the service."""
    most, ends = 2**63 - 1, ("1970-01-01T00:00:00+14:00", "2199-12-31T23:59:59.999999-14:00")
    await station.upload(b"frame")
    student_id, checkin_id = await doors.capture.enrol_student(), kit_ids.new()
    for place, at in enumerate(ends):
        counted = {"frame_counter": most, "monotonic_ns": most, "shutter_at": at}
        frame = taken(None, b"frame", **counted, clock_offset_s=-1e11, ticket=f"{'A' * 16}-{place:04d}")
        assert (await station.ask("PUT", f"/v1/captures/{kit_ids.new()}", frame)).is_success
        drift = {"sign": "frame_missing", "expected": "-", "seen": "9" * 10, "suspected_at": at}
        assert (await station.ask("PUT", f"/v1/drifts/{kit_ids.new()}", drift)).is_success
        health = {"backlog": most, "disk_free_bytes": most, "skew_s": 1e11, "pack_age_s": -1e11, "hall_term": most}
        assert (await station.ask("POST", "/v1/heartbeats", health)).is_success
    checkin = {"student_id": str(student_id), "ticket": "A1-0001", "checked_in_at": ends[0], "hall": {"term": most}}
    assert (await station.ask("PUT", f"/v1/checkins/{checkin_id}", checkin)).is_success
    assert (await station.ask("PUT", f"/v1/releases/{checkin_id}", {"released_at": ends[1]})).is_success
    cameras = [{"serial": f"V{n}", "before": -1, "after": 2**53} for n in range(50)]
    told = (await station.seal(kit_ids.new(), {"camera_frames": most, "cameras": cameras, "journalled": []})).json()
    assert (told["state"], told["difference_count"], len(told["differences"])) == ("refused", 50 * (2**53 + 1), 200)


async def shot_of_nobody(doors: Doors, station: Station, counter: int) -> tuple[UUID, dict[str, Any]]:
    """A test shot that the server has."""
    original, capture_id = b"frame %d" % counter, kit_ids.new()
    await station.upload(original)
    frame = taken(None, original, frame_counter=counter)
    assert (await station.ask("PUT", f"/v1/captures/{capture_id}", frame)).is_success
    return capture_id, frame


async def test_a_seal_is_kept_with_both_signatures(doors: Doors, station: Station) -> None:
    """What is retrieved can be checked with nothing but the two public keys; another document fits neither."""
    capture_id, frame = await shot_of_nobody(doors, station, 1)
    session_id = kit_ids.new()
    cameras = [{"serial": "V1", "before": 0, "after": 1}]
    asked = {"camera_frames": 1, "cameras": cameras, "journalled": [journalled(capture_id, frame)]}
    forged = await station.ask("PUT", f"/v1/sessions/{session_id}", {**asked, "signature": "none"})
    assert (forged.status_code, forged.json()["code"]) == (422, "seal-signature-invalid")
    assert (await station.seal(session_id, asked)).json()["state"] == "sealed"
    path = f"/v1/sessions/{session_id}"
    assert (await doors.staff("GET", path, role="secretary")).status_code == 403
    kept = (await doors.staff("GET", path, role="auditor")).json()
    own, theirs = kept["document"], kept["countersigned"]
    content = documents.canonical(own)
    assert auth.stamped(kept["station_key"], documents.SEAL, content, kept["station_signature"])
    assert auth.stamped(
        kept["server_key"], documents.COUNTERSIGN, documents.canonical(theirs), kept["countersignature"]
    )
    assert theirs["document_sha256"] == documents.digest(own)
    assert not auth.stamped(
        kept["station_key"],
        documents.SEAL,
        documents.canonical({**own, "camera_frames": 2}),
        kept["station_signature"],
    )
    again = (await station.seal(session_id, asked)).json()
    assert again["countersignature"] == kept["countersignature"]
    assert station.believes("session", session_id, asked, again)
    assert not station.believes("session", kit_ids.new(), asked, again)
    other = await station.seal(session_id, {**asked, "camera_frames": 2})
    assert (other.status_code, other.json()["code"]) == (409, "session-sealed")
    (row,) = (await doors.staff("GET", f"/v1/campaigns/{doors.capture.campaign_id}/sessions")).json()["items"]
    assert (row["session_id"], row["state"]) == (str(session_id), "sealed")


async def test_a_seal_that_does_not_agree_is_refused_with_what_differs(doors: Doors, station: Station) -> None:
    """A removed frame, another hash, a frame that only the camera counted: each is told; a person may settle it."""
    shots = [await shot_of_nobody(doors, station, counter) for counter in (1, 2, 3)]
    named = [journalled(*shot) for shot in shots]
    named[1]["sha256"] = "0" * 64
    session_id = kit_ids.new()
    cameras = [{"serial": "V1", "before": 0, "after": 4}]
    asked = {"camera_frames": 4, "cameras": cameras, "journalled": named[:2], "journal_intact": False}
    refused = (await station.seal(session_id, asked)).json()
    assert (refused["state"], refused["balanced"], refused["countersignature"]) == ("refused", False, None)
    told = {(one["kind"], one["capture_id"], one["frame_counter"]) for one in refused["differences"]}
    assert told == {
        ("journal_altered", None, None),
        ("hash_differs", str(shots[1][0]), 2),
        ("not_journalled", str(shots[2][0]), 3),
        ("not_counted", None, 4),
    }
    async with doors.capture.unit() as work:
        await seals.show_refused(work)
    assert 'gradphoto_sessions_refused{campus="boda",desk="A1"} 1.0' in metrics.exposition().decode()
    path, reason = f"/v1/sessions/{session_id}/settle", {"reason": "第 4 张为空拍，已与现场核对"}
    assert (await doors.staff("POST", path, reason, role="auditor")).status_code == 403
    settled = (await doors.staff("POST", path, reason, role="crew_lead")).json()
    assert (settled["state"], settled["balanced"], bool(settled["countersignature"])) == ("settled", False, True)
    assert station.believes("session", session_id, asked, settled)
    assert (await doors.capture.said())[-2:] == ["session.refused", "session.sealed"]


async def test_a_refused_session_is_sealed_when_what_was_missing_has_come(doors: Doors, station: Station) -> None:
    """The same session told anew is compared anew."""
    first = await shot_of_nobody(doors, station, 1)
    late, frame = kit_ids.new(), taken(None, b"late", frame_counter=2)
    cameras = [{"serial": "V1", "before": 0, "after": 2}]
    asked = {"camera_frames": 2, "cameras": cameras, "journalled": [journalled(*first), journalled(late, frame)]}
    session_id = kit_ids.new()
    refused = (await station.seal(session_id, asked)).json()
    assert (refused["state"], refused["missing"]) == ("refused", [str(late)])
    await station.upload(b"late")
    assert (await station.ask("PUT", f"/v1/captures/{late}", frame)).is_success
    assert (await station.seal(session_id, asked)).json()["state"] == "sealed"
    assert (await doors.capture.said())[-2:] == ["session.refused", "session.sealed"]


async def test_a_hall_over_http(doors: Doors, station: Station) -> None:
    """The signed list, a check-in agreed to in a hall, a walk-off told twice, a double that staff see and settle."""
    capture = doors.capture
    await station.ask("POST", "/v1/heartbeats", {"hall_address": "192.168.1.7:8471", "hall_part": "hub"})
    listed = await station.ask("GET", "/v1/hall")
    (member,) = listed.json()["stations"]
    assert (member["station_id"], member["address"]) == (str(station.station_id), "192.168.1.7:8471")
    async with capture.unit() as work:
        key = work.pack_key
    assert auth.stamped(key, "gradphoto-hall-list", listed.content, listed.headers["gradphoto-signature"])
    assert not auth.stamped(key, "gradphoto-desk-pack", listed.content, listed.headers["gradphoto-signature"])

    student_id = await capture.enrol_student(1)
    keys = [kit_ids.new() for _ in range(3)]
    for number, key_ in enumerate(keys, 1):
        body = {"student_id": str(student_id), "ticket": f"A1-000{number}", "checked_in_at": "2024-05-20T09:00:00Z"}
        grant = {"hall": {"term": None, "apart": True}} if number == 2 else {"hall": {"term": 3, "apart": False}}
        assert (await station.ask("PUT", f"/v1/checkins/{key_}", body | grant)).is_success
    for _ in range(2):
        walked_off = {"released_at": "2024-05-20T09:05:00Z"}
        assert (await station.ask("PUT", f"/v1/releases/{keys[2]}", walked_off)).json() == {"state": "released"}
    assert (await station.ask("PUT", f"/v1/releases/{kit_ids.new()}", walked_off)).status_code == 503
    captures = [kit_ids.new(), kit_ids.new()]
    for capture_id, checkin_id, place in zip(captures, keys[:2], (7, 8), strict=True):
        original = await asyncio.to_thread(portraits.draw, place)
        await station.upload(original)
        frame = taken(student_id, original, checkin_id=str(checkin_id), frame_counter=place)
        assert (await station.ask("PUT", f"/v1/captures/{capture_id}", frame)).is_success
    await inspect_all(capture)

    (double,) = (await doors.staff("GET", f"/v1/campaigns/{capture.campaign_id}/doubles")).json()["items"]
    assert (double["apart"], double["settled_by"], len(double["capture_ids"])) == (True, "policy", 2)
    lost = next(str(key_) for key_ in captures if str(key_) != double["kept_capture_id"])
    settled = {"capture_id": lost, "reason": "clearer"}
    path = f"/v1/students/{student_id}/double"
    assert (await doors.staff("POST", path, settled, role="secretary")).status_code == 403
    assert (await doors.staff("POST", path, settled)).json()["state"] == "accepted"
    (double,) = (await doors.staff("GET", f"/v1/campaigns/{capture.campaign_id}/doubles")).json()["items"]
    assert (double["kept_capture_id"], double["settled_by"]) == (lost, "person")
