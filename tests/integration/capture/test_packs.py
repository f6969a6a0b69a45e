"""Desk packs over the real database: minimal, signed, cheap to ask for, and the same by any road that leads to them."""

import contextlib
import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from gradphoto_contracts import ids, roster
from kit import auth, crypto
from kit import ids as kit_ids
from kit.errors import Refused
from services.capture import store
from services.capture.domain import floor, packs, photos
from station.domain.pack import SIGNED_AS, Pack, Signed
from station.packs import Ours, SealedPacks
from station.timekeeping import StationClock
from tests.integration.capture import test_doors
from tests.integration.capture.callers import Doors, Station
from tests.integration.capture.conftest import CODE_KEY, Capture

doors, station = test_doors.doors, test_doors.station

#: What happens between two looks at a desk's pack; refreshes are the most frequent.
ACTS = ("change", "code", "photo", "withdraw", "new", "plan", "start", *["refresh"] * 4)
SEALER = crypto.Sealer({"pack-1": bytes(32)}, "pack-1")
PACK_KEY = crypto.signing_pair(CODE_KEY, "desk-pack")[1]


async def ask(station: Station, etag: str = "", *, changes: bool = True) -> httpx.Response:
    """Ask as a station does that holds `etag`."""
    now = station.doors.capture.clock.now()
    signature = auth.sign_station_request(station.private_pem, station.station_id, "GET", "/v1/desk-pack", b"", now)
    held = {"if-none-match": etag} | ({"a-im": "gradphoto-pack-changes"} if changes else {}) if etag else {}
    return await station.doors.client.get("/v1/desk-pack", headers={"authorization": signature, **held})


def code(capture: Capture, student_id: ids.StudentId, payload: str, version: int = 1) -> roster.CodeRegisteredV1:
    return roster.CodeRegisteredV1(
        student_id=student_id,
        campaign_id=capture.campaign_id,
        mode="capture_code",
        digest=crypto.code_digest(CODE_KEY, capture.campaign_id, "capture_code", payload),
        version=version,
    )


async def accepted(capture: Capture, student_id: ids.StudentId) -> photos.Photo:
    """A photo that is in force."""
    shot = await capture.shoot(student_id)
    photo, _ = photos.receive(shot, capture.class_id, capture.clock.now())
    inspection = photos.Inspection("accept", (), "chsi-2017-99", b"photo", readable=True)
    decided, _ = photos.accept(
        photos.inspected(photo, inspection, photos.photo_key(shot.campaign_id, shot.capture_id), "0" * 64)
    )
    async with capture.unit() as work:
        await work.photos.add(photo)
        assert await work.photos.put_in_force(decided)
    return decided


async def test_a_pack_holds_digests_and_no_person(doors: Doors, station: Station) -> None:
    """It lets a desk resolve a scan, says so much and no more, and is signed by the key told at enrolment."""
    capture = doors.capture
    student_id = await capture.enrol_student()
    await capture.hear(code(capture, student_id, "https://chsi/ABC"))
    answer = await ask(station)
    pack = answer.json()
    scanned = crypto.digest_with(bytes.fromhex(pack["campaign_code_key"]), pack["identity_mode"], " https://chsi/ABC")
    (entry,) = pack["entries"]
    assert entry == {
        "student_id": str(student_id),
        "class_id": str(capture.class_id),
        "digest": scanned,
        "ordinal": 1,
        "eligible": True,
        "photographed": False,
    }
    (school_class,) = pack["classes"]
    starts_at = [capture.clock.now().isoformat()]
    told = {"class_id": str(capture.class_id), "label": "软件 20-1", "order_code": "A1", "starts_at": starts_at}
    assert school_class == told
    assert (pack["desk"]["code"], pack["desk"]["next_ticket"], pack["fresh_minutes"]) == ("A1", 1, 120)
    assert auth.stamped(PACK_KEY, packs.SIGNED_AS, answer.content, answer.headers["gradphoto-signature"])
    assert packs.SIGNED_AS == SIGNED_AS


async def test_nothing_new_is_said_in_nothing_and_little_in_little(doors: Doors, station: Station) -> None:
    """304 until something changes; then the one entry, the version one higher; every hour a renewal without entries."""
    capture = doors.capture
    students = [await capture.enrol_student(place) for place in range(1, 6)]
    first = await ask(station)
    assert (first.status_code, len(first.json()["entries"])) == (200, 5)
    assert (await ask(station, first.headers["etag"])).status_code == 304
    await capture.hear(capture.student(students[0], ordinal=1, version=2))
    assert (await ask(station, first.headers["etag"])).status_code == 304, "told anew, and the same"
    await accepted(capture, students[2])
    second = await ask(station, first.headers["etag"])
    changes = second.json()
    assert (second.status_code, second.headers["im"]) == (226, "gradphoto-pack-changes")
    assert (changes["kind"], changes["base"], changes["classes"], changes["gone"]) == (
        "changes",
        first.headers["etag"],
        None,
        [],
    )
    assert [(row["student_id"], row["photographed"]) for row in changes["entries"]] == [(str(students[2]), True)]
    assert changes["version"] == first.json()["version"] + 1
    assert auth.stamped(PACK_KEY, SIGNED_AS, second.content, second.headers["gradphoto-signature"])
    capture.clock.time += timedelta(hours=1)
    renewed = await ask(station, second.headers["etag"])
    assert (renewed.status_code, renewed.json()["entries"], renewed.json()["version"]) == (226, [], changes["version"])
    assert renewed.json()["expires_at"] > changes["expires_at"]
    whole = await ask(station, second.headers["etag"], changes=False)
    assert (whole.status_code, len(whole.json()["entries"])) == (200, 5), "who does not ask for changes gets all"


async def test_changes_are_counted_from_the_one_that_is_held(doors: Doors, station: Station) -> None:
    """However many versions were missed, all that has changed since comes at once; an unknown state gets the whole."""
    capture = doors.capture
    students = [await capture.enrol_student(place) for place in range(1, 4)]
    first = await ask(station)
    await accepted(capture, students[0])
    second = await ask(station, first.headers["etag"])
    withdrawn = roster.StudentWithdrawnV1(
        student_id=students[1], campaign_id=capture.campaign_id, class_id=capture.class_id, version=2
    )
    await capture.hear(withdrawn)
    for etag, entries in ((first.headers["etag"], [str(students[0])]), (second.headers["etag"], [])):
        told = (await ask(station, etag)).json()
        assert ([row["student_id"] for row in told["entries"]], told["gone"]) == (entries, [str(students[1])])
    for unknown in ('"9-0-a-b-2024052001"', '"x"', "", '"1-ffffffff-a-b-2024052001"', f'"{"9" * 40}-0-a-b-c"'):
        told = (await ask(station, unknown)).json()
        assert (told["kind"], len(told["entries"])) == ("whole", 2)


async def test_a_state_of_before_a_restore_is_no_base(doors: Doors, station: Station) -> None:
    """After a backup was put back, numbers come again with other contents: who holds one of before gets the whole."""
    capture = doors.capture
    students = [await capture.enrol_student(place) for place in range(1, 3)]
    await ask(station)
    lost = await accepted(capture, students[0])
    held = (await ask(station)).headers["etag"]
    async with capture.database.transaction() as tx:
        number = packs.read(held)
        assert number is not None
        await tx.execute(sa.delete(store.CAPTURES).where(store.CAPTURES.c.capture_id == lost.shot.capture_id))
        await tx.execute(sa.delete(store.PACK_STATES).where(store.PACK_STATES.c.number == number.students.number))
        back = sa.update(store.PACK_ENTRIES).where(store.PACK_ENTRIES.c.student_id == students[0])
        await tx.execute(back.values(photographed=False, number=number.students.number - 1))
    await accepted(capture, students[1])
    told = (await ask(station, held)).json()
    assert packs.read(told["etag"]).students.number == number.students.number  # type: ignore[union-attr]
    assert told["kind"] == "whole"
    assert {row["student_id"]: row["photographed"] for row in told["entries"]} == {
        str(students[0]): False,
        str(students[1]): True,
    }


async def test_another_identity_mode_makes_other_entries(doors: Doors, station: Station) -> None:
    """Every digest is another one, and the desk is told so as changes."""
    capture = doors.capture
    student_id = await capture.enrol_student()
    await capture.hear(code(capture, student_id, "ABC"))
    first = await ask(station)
    async with capture.unit() as work:
        known = await work.floor.campaign(capture.campaign_id)
        assert known is not None
        changed = {**known.__dict__, "identity_mode": "student_no", "version": known.version + 1}
        await work.floor.put_campaign(floor.Campaign(**changed))
    told = (await ask(station, first.headers["etag"])).json()
    assert (told["identity_mode"], [row["digest"] for row in told["entries"]]) == ("student_no", [None])


async def test_classes_without_a_slot_go_to_a_delegated_block(doors: Doors, station: Station) -> None:
    """A group with a delegated block (自行安排) takes the classes that have no slot anywhere."""
    capture = doors.capture
    unplanned = ids.ClassId(kit_ids.new())
    await capture.hear(capture.class_registered(unplanned, "研 21-1"))
    before = await ask(station)
    await capture.hear(capture.slot(None, None))
    after = (await ask(station, before.headers["etag"])).json()["classes"]
    assert [one["label"] for one in before.json()["classes"]] == ["软件 20-1"]
    assert {one["label"]: one["order_code"] for one in after} == {"软件 20-1": "A1", "研 21-1": None}


class Wire:
    """The real door, seen from a station; answers get lost, and old ones come again."""

    def __init__(self, station: Station, dice: random.Random) -> None:
        self._station, self._dice = station, dice
        self._before: list[Signed] = []
        self.kinds: dict[str, int] = {}

    async def desk_pack(self, etag: str | None) -> Signed | None:
        if self._before and self._dice.random() < 0.15:
            return self._dice.choice(self._before)
        answer = await ask(self._station, etag or "")
        kind = "same" if answer.status_code == 304 else answer.json()["kind"]
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if answer.status_code == 304:
            return None
        signed = Signed(answer.content, answer.headers["gradphoto-signature"])
        self._before.append(signed)
        return signed


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in (2, 3, 4))])
async def test_by_any_road_a_desk_ends_with_the_pack_of_now(
    doors: Doors, station: Station, tmp_path: Path, seed: int
) -> None:
    """Seeded days of changes, refreshes, missed versions, answers played back and restarts from older files."""
    capture, dice = doors.capture, random.Random(seed)
    wire = Wire(station, dice)
    ours = Ours(PACK_KEY, capture.campaign_id, capture.desk_id)

    clock = StationClock(capture.clock, tmp_path / "clock-skew.json")

    def start() -> SealedPacks:
        started = SealedPacks(tmp_path / "pack", SEALER, wire, clock, ours)
        started.load()
        return started

    held, files = start(), [b""]
    students = [await capture.enrol_student(place) for place in range(1, 9)]
    in_force: dict[ids.StudentId, photos.Photo] = {}
    versions: dict[ids.StudentId, int] = {}
    for step in range(80):
        capture.clock.time += timedelta(seconds=20)
        student_id = dice.choice(students)
        versions[student_id] = version = versions.get(student_id, 1) + 1
        act = dice.choice(
            ("change", "code", "photo", "withdraw", "new", "plan", "refresh", "refresh", "refresh", "start")
        )
        if act == "change":
            await capture.hear(capture.student(student_id, dice.randrange(1, 40), version))
        elif act == "code":
            await capture.hear(code(capture, student_id, f"code {step}", version))
        elif act == "photo" and student_id not in in_force:
            in_force[student_id] = await accepted(capture, student_id)
        elif act == "photo":
            async with capture.unit() as work:
                taken_back = in_force.pop(student_id)
                await work.photos.save(photos.withdraw(taken_back, "wrong_person")[0])
        elif act == "withdraw" and dice.random() < 0.3:
            await capture.hear(
                roster.StudentWithdrawnV1(
                    student_id=student_id, campaign_id=capture.campaign_id, class_id=capture.class_id, version=version
                )
            )
        elif act == "new":
            students.append(await capture.enrol_student(len(students) + 1))
        elif act == "plan":
            await capture.hear(capture.plan(revision=step + 2))
        elif act == "refresh":
            await _refresh(held)
            files.append((tmp_path / "pack").read_bytes() if (tmp_path / "pack").exists() else b"")
        elif act == "start":
            (tmp_path / "pack").write_bytes(dice.choice(files))
            held = start()
    wire._before.clear()
    await held.refresh()
    whole = Pack.model_validate_json((await ask(station)).content)
    assert _known(held.current()) == _known(whole)
    assert held.current().version == whole.version
    assert min(wire.kinds.get(kind, 0) for kind in ("whole", "changes", "same")) > 0, wire.kinds


async def _refresh(held: SealedPacks) -> None:
    with contextlib.suppress(Refused):
        await held.refresh()
    assert held.trouble is None or held.trouble.code == "desk-pack-older"


def _known(pack: Pack) -> tuple[Any, ...]:
    entries = sorted(json.dumps(entry.model_dump(mode="json")) for entry in pack.entries)
    return pack.identity_mode, pack.classes, pack.desk, entries
