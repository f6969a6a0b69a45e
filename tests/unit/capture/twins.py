"""In-memory twins of capture's stores, for histories of commands without a database."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import UUID

from gradphoto_contracts import ids
from kit import errors, memory, objects
from services.capture import ports
from services.capture.domain import checkins, consents, doubles, floor, photos, ranges, seals, sessions, stations

NOW = datetime(2024, 5, 20, 1, 0, tzinfo=UTC)


class Floor:
    """Copies of facts; the newer wins."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, UUID], Any] = {}

    def _put(self, kind: str, key: UUID, row: Any) -> None:
        known = self.rows.get((kind, key))
        number = "revision" if kind == "desk" else "version"
        if known is None or getattr(row, number) > getattr(known, number):
            self.rows[(kind, key)] = row

    async def campaign(self, campaign_id: ids.CampaignId) -> floor.Campaign | None:
        return self.rows.get(("campaign", campaign_id))

    async def student(self, student_id: ids.StudentId) -> floor.Student | None:
        return self.rows.get(("student", student_id))

    async def desk(self, desk_id: ids.DeskId) -> floor.Desk | None:
        return self.rows.get(("desk", desk_id))

    async def desks(self) -> Sequence[floor.Desk]:
        return [row for (kind, _), row in self.rows.items() if kind == "desk"]

    async def place(self, desk_id: ids.DeskId) -> floor.Place:
        desk = await self.desk(desk_id)
        return floor.Place("boda", desk.code) if desk else floor.Place("", "")

    async def put_campaign(self, campaign: floor.Campaign) -> None:
        self._put("campaign", campaign.campaign_id, campaign)

    async def close_campaign(self, campaign_id: ids.CampaignId, version: int) -> bool:
        known = await self.campaign(campaign_id)
        if known is not None:
            self._put("campaign", campaign_id, replace(known, open=False, version=version))
        return known is not None

    async def put_class(self, school_class: floor.SchoolClass) -> None:
        self._put("class", school_class.class_id, school_class)

    async def put_student(self, student: floor.Student) -> None:
        self._put("student", student.student_id, student)

    async def put_code(self, code: floor.Code) -> None:
        self._put("code", code.student_id, code)

    async def put_desks(self, desks: Sequence[floor.Desk]) -> None:
        for desk in desks:
            self._put("desk", desk.desk_id, desk)

    async def put_slot(self, slot: floor.Slot) -> None:
        self._put("slot", slot.slot_id, slot)

    async def cancel_slot(self, slot_id: ids.SlotId, campaign_id: ids.CampaignId, version: int) -> None:
        group = ids.GroupId(slot_id)
        self._put("slot", slot_id, floor.Slot(slot_id, campaign_id, None, group, None, NOW, True, version))


class Stations:
    """Stations by id."""

    def __init__(self) -> None:
        self.rows: dict[ids.StationId, stations.Station] = {}
        self.health: dict[ids.StationId, stations.Health] = {}
        self.silent = False

    async def get(self, station_id: ids.StationId, *, lock: bool = False) -> stations.Station | None:
        return self.rows.get(station_id)

    async def by_code(self, code_index: bytes) -> stations.Station | None:
        return next((row for row in self.rows.values() if row.code_index == code_index), None)

    async def add(self, station: stations.Station) -> None:
        self.rows[station.station_id] = station

    async def save(self, station: stations.Station) -> None:
        self.rows[station.station_id] = station

    async def note_health(self, station_id: ids.StationId, health: stations.Health) -> None:
        self.health[station_id] = health

    async def silent_for(self, real_seconds: float) -> Sequence[stations.Station]:
        return [row for row in self.rows.values() if row.online and self.silent]


class Checkins:
    """Check-ins by id; a ticket is unique at its desk."""

    def __init__(self) -> None:
        self.rows: dict[ids.CheckinId, checkins.Checkin] = {}
        self.let_in: dict[ids.CheckinId, ports.LetInNote] = {}

    async def add(self, checkin: checkins.Checkin) -> bool:
        taken = any((row.desk_id, row.ticket) == (checkin.desk_id, checkin.ticket) for row in self.rows.values())
        if taken or checkin.checkin_id in self.rows:
            return False
        self.rows[checkin.checkin_id] = checkin
        return True

    async def get(self, checkin_id: ids.CheckinId, *, lock: bool = False) -> checkins.Checkin | None:
        return self.rows.get(checkin_id)

    async def lock(self, checkin_id: ids.CheckinId) -> None:
        pass

    async def waiting_for(self, student_id: ids.StudentId) -> Sequence[checkins.Checkin]:
        return [row for row in self.rows.values() if row.student_id == student_id and row.class_id is None]

    async def save(self, checkin: checkins.Checkin) -> None:
        self.rows[checkin.checkin_id] = checkin

    async def note_let_in(self, note: ports.LetInNote) -> ports.LetInNote:
        return self.let_in.setdefault(note.checkin_id, note)


class Photos:
    """Photos by id; one in force a student."""

    def __init__(self, known: Floor) -> None:
        self.rows: dict[ids.CaptureId, photos.Photo] = {}
        self.attempts: dict[ids.CaptureId, int] = {}
        self.taken: set[ids.CaptureId] = set()
        self.aside: set[ids.CaptureId] = set()
        self.notes: list[ports.Note] = []
        self.views: list[ports.View] = []
        self.derivatives: list[ports.Derivative] = []
        self._floor = known

    async def get(self, capture_id: ids.CaptureId, *, lock: bool = False) -> photos.Photo | None:
        return self.rows.get(capture_id)

    async def add(self, photo: photos.Photo) -> bool:
        return self.rows.setdefault(photo.shot.capture_id, photo) is photo

    async def waiting_for(self, student_id: ids.StudentId) -> Sequence[photos.Photo]:
        waiting = [row for row in self.rows.values() if row.state == "received" and row.class_id is None]
        return [row for row in waiting if row.student_id == student_id]

    async def awaited(self, limit: int) -> Sequence[floor.Student]:
        waiting = [row for row in self.rows.values() if row.state == "received" and row.class_id is None]
        known = [await self._floor.student(row.student_id) for row in waiting if row.student_id]
        return [student for student in known if student][:limit]

    async def in_force_by(self, checkin_id: ids.CheckinId) -> Sequence[photos.Photo]:
        theirs = [row for row in self.rows.values() if row.shot.checkin_id == checkin_id]
        return [row for row in theirs if row.state == "accepted"]

    async def save(self, photo: photos.Photo) -> None:
        self.rows[photo.shot.capture_id] = photo

    async def put_in_force(self, photo: photos.Photo) -> bool:
        return await self.move([photo])

    async def move(self, moved: Sequence[photos.Photo]) -> bool:
        after = {**self.rows, **{photo.shot.capture_id: photo for photo in moved}}
        owners = [photo.student_id for photo in after.values() if photo.state == "accepted"]
        if len(owners) != len(set(owners)):
            return False
        self.rows = after
        return True

    async def note(self, entry: ports.Note) -> None:
        self.notes.append(entry)

    async def note_derivative(self, derivative: ports.Derivative) -> None:
        self.derivatives.append(derivative)

    async def claim(self, lease_s: float) -> ports.Claim | None:
        for key, photo in self.rows.items():
            if photo.state == "received" and photo.class_id is not None and key not in self.taken:
                self.taken.add(key)
                self.attempts[key] = self.attempts.get(key, 0) + 1
                return ports.Claim(photo, self.attempts[key])
        return None

    async def release(self, claim: ports.Claim, wait_s: float, *, counted: bool) -> None:
        key = claim.photo.shot.capture_id
        self.taken.discard(key)
        self.attempts[key] -= 0 if counted else 1

    async def set_aside(self, claim: ports.Claim, least_s: float, most_s: float) -> None:
        await self.release(claim, least_s, counted=False)
        self.aside.add(claim.photo.shot.capture_id)

    async def lost(self) -> dict[ids.CampaignId, int]:
        waiting = [self.rows[key] for key in self.aside if self.rows[key].state == "received"]
        return {photo.shot.campaign_id: len(waiting) for photo in waiting}

    async def inspect_again(self, photo: photos.Photo) -> None:
        key = photo.shot.capture_id
        self.rows[key], self.attempts[key] = photo, 0
        self.taken.discard(key)

    async def claimed(self, claim: ports.Claim) -> photos.Photo | None:
        photo = self.rows[claim.photo.shot.capture_id]
        mine = photo.state == "received" and self.attempts[photo.shot.capture_id] == claim.attempt
        return photo if mine else None

    def expire_leases(self) -> None:
        """What time does to a worker that was killed."""
        self.taken.clear()


class Ranges:
    """A desk's numbers as they were set; shifts by id."""

    def __init__(self) -> None:
        self.numbers: list[ranges.Place] = []
        self.done: dict[UUID, ports.RangeRebind] = {}

    async def lock(self, desk_id: ids.DeskId) -> None: ...

    async def places(self, campaign_id: ids.CampaignId, desk_id: ids.DeskId) -> list[ranges.Place]:
        return self.numbers

    async def add(self, done: ports.RangeRebind) -> None:
        self.done[done.rebind_id] = done

    async def get(self, rebind_id: UUID) -> ports.RangeRebind | None:
        return self.done.get(rebind_id)

    async def of_desk(self, desk_id: ids.DeskId, after: UUID | None, limit: int) -> list[ports.RangeRebind]:
        return [done for done in self.done.values() if done.shift.desk_id == desk_id][:limit]


class Doubles:
    """Doubles by student, worked out from the twins of check-ins and photos."""

    def __init__(self, told: Checkins, taken: Photos) -> None:
        self.rows: dict[ids.StudentId, doubles.Double] = {}
        self._checkins, self._photos = told, taken

    async def lock(self, student_id: ids.StudentId) -> None:
        pass

    async def live(self, student_id: ids.StudentId) -> list[checkins.Checkin]:
        waiting = [row for row in self._checkins.rows.values() if row.student_id == student_id and not row.released_at]
        return [row for row in waiting if not self._came_to_nothing(row)]

    def _came_to_nothing(self, checkin: checkins.Checkin) -> bool:
        shots = [row for row in self._photos.rows.values() if row.shot.checkin_id == checkin.checkin_id]
        kept = [row for row in shots if row.shot.decision in ("keep", "override")]
        return bool(kept) and not any(row.state in ("received", "accepted") or row.cause == "duplicate" for row in kept)

    async def in_force(self, student_id: ids.StudentId) -> photos.Photo | None:
        theirs = [row for row in self._photos.rows.values() if row.student_id == student_id]
        return next((row for row in theirs if row.state == "accepted"), None)

    async def get(self, student_id: ids.StudentId) -> doubles.Double | None:
        return self.rows.get(student_id)

    async def save(self, double: doubles.Double) -> None:
        self.rows[double.student_id] = double


class Consents:
    """What students said, by id."""

    def __init__(self) -> None:
        self.rows: dict[UUID, consents.Consent] = {}

    async def add(self, consent: consents.Consent) -> consents.Consent:
        return self.rows.setdefault(consent.consent_id, consent)

    async def of_student(self, student_id: ids.StudentId) -> list[consents.Consent]:
        return [row for row in self.rows.values() if row.student_id == student_id]


class Sessions:
    """Seals and drifts by id."""

    def __init__(self, stored: Photos) -> None:
        self.seals: dict[ids.SessionId, seals.Seal] = {}
        self.drifts: dict[ids.DriftId, sessions.Drift] = {}
        self.reasons: dict[ids.SessionId, str] = {}
        self._photos = stored

    async def seal(self, session_id: ids.SessionId) -> seals.Seal | None:
        return self.seals.get(session_id)

    async def save_seal(self, seal: seals.Seal) -> None:
        self.seals[seal.told.session_id] = seal

    async def note_settled(self, session_id: ids.SessionId, reason: str) -> None:
        self.reasons[session_id] = reason

    async def settled_reason(self, session_id: ids.SessionId) -> str | None:
        return self.reasons.get(session_id)

    async def frames(self, told: seals.Told) -> Sequence[seals.Stored]:
        named = {frame.capture_id for frame in told.journalled}
        return [
            seals.Stored(key, row.shot.sha256, row.shot.camera_serial, row.shot.frame_counter, row.received_at)
            for key, row in self._photos.rows.items()
            if key in named or (row.shot.station_id == told.station_id and _counted(told, row.shot))
        ]

    async def refused(self) -> dict[ids.DeskId, int]:
        refused = [seal.told.desk_id for seal in self.seals.values() if seal.state == "refused"]
        return {desk_id: refused.count(desk_id) for desk_id in refused}

    async def drift(self, drift_id: ids.DriftId) -> sessions.Drift | None:
        return self.drifts.get(drift_id)

    async def save_drift(self, drift: sessions.Drift) -> None:
        self.drifts[drift.drift_id] = drift


def _counted(told: seals.Told, shot: photos.Shot) -> bool:
    ranges = [(camera.serial, range(camera.before + 1, camera.after + 1)) for camera in told.cameras]
    return any(serial == shot.camera_serial and shot.frame_counter in counted for serial, counted in ranges)


class Objects:
    """Objects by key, without versions; `away` makes the store unavailable, `broken` single objects."""

    def __init__(self) -> None:
        self.rows: dict[str, bytes] = {}
        self.kept: list[str] = []
        self.broken: set[str] = set()
        self.away = False

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        self._ask()
        self.rows[key] = data

    async def get(self, key: str, version: str | None = None, *, at_most: int | None = None) -> bytes:
        self._ask()
        if key in self.broken:
            raise errors.Unavailable("object-store-unavailable")
        if key not in self.rows:
            raise errors.NotFound("object-missing", key=key)
        return self.rows[key]

    async def ready(self) -> bool:
        return not self.away

    async def exists(self, key: str) -> bool:
        return key in self.rows

    async def found(self, key: str, size_bytes: int) -> ports.Found | None:
        self._ask()
        if key not in self.rows:
            return None
        size = len(self.rows[key])
        digest = sha256(self.rows[key]).hexdigest() if size == size_bytes else None
        return ports.Found(size, digest, None)

    async def keep(self, key: str, version: str | None) -> bool:
        self._ask()
        self.kept.append(key)
        return True

    async def scan(self, prefix: str, after: str | None = None) -> AsyncIterator[objects.Listed]:
        self._ask()
        for key in sorted(self.rows):
            if key.startswith(prefix) and key > (after or ""):
                yield objects.Listed(key, datetime(2000, 1, 1, tzinfo=UTC))

    async def presign_put(self, key: str, expires_s: int) -> str:
        return f"memory:{key}"

    async def presign_get(self, key: str, expires_s: int) -> str:
        return f"memory:{key}"

    def _ask(self) -> None:
        if self.away:
            raise errors.Unavailable("object-store-unavailable")


@dataclass
class Inspector:
    """Gives the verdict that it is told, or fails."""

    verdict: photos.Verdict = "accept"
    rules: tuple[str, ...] = ()
    readable: bool = True
    fault: Exception | None = None
    seen: int = 0

    async def inspect(self, original: bytes, profile: str, *, compose_refused: bool) -> photos.Inspection:
        self.seen += 1
        if self.fault is not None:
            raise self.fault
        composed = self.readable and (self.verdict != "reject" or compose_refused)
        photo = b"composed " + original if composed else None
        return photos.Inspection(self.verdict, self.rules, profile, photo, self.readable)


@dataclass
class World:
    """One campaign with a desk and two students, in memory. `work()` is one unit of work after another."""

    now: datetime = NOW
    floor: Floor = field(default_factory=Floor)
    stations: Stations = field(default_factory=Stations)
    checkins: Checkins = field(default_factory=Checkins)
    consents: Consents = field(default_factory=Consents)
    ranges: Ranges = field(default_factory=Ranges)
    events: memory.MemoryEvents = field(default_factory=memory.MemoryEvents)
    inbox: memory.MemoryInbox = field(default_factory=memory.MemoryInbox)
    objects: Objects = field(default_factory=Objects)
    inspector: Inspector = field(default_factory=Inspector)

    def __post_init__(self) -> None:
        self.photos = Photos(self.floor)
        self.sessions = Sessions(self.photos)
        self.doubles = Doubles(self.checkins, self.photos)
        self._numbers = count(1)
        self.campaign_id = ids.CampaignId(self.new_id())
        self.campus_id = ids.CampusId(self.new_id())
        self.class_id = ids.ClassId(self.new_id())
        self.desk_id = ids.DeskId(self.new_id())
        self.station_id = ids.StationId(self.new_id())

    def new_id(self) -> UUID:
        return UUID(int=next(self._numbers))

    def work(self) -> ports.Work:
        return ports.Work(
            floor=self.floor,
            stations=self.stations,
            checkins=self.checkins,
            consents=self.consents,
            photos=self.photos,
            ranges=self.ranges,
            doubles=self.doubles,
            sessions=self.sessions,
            packs=None,  # type: ignore[arg-type] # asked on the real database only
            reports=None,  # type: ignore[arg-type] # asked on the real database only
            audits=None,  # type: ignore[arg-type] # asked on the real database only
            views=None,  # type: ignore[arg-type] # asked on the real database only
            figures=None,  # type: ignore[arg-type] # asked on the real database only
            events=self.events,
            inbox=self.inbox,
            now=self.now,
            new_id=self.new_id,
            new_code=lambda: "ABCDEFGHJK",
            mark=lambda said, key: sha256(f"{key} {said}".encode()).hexdigest(),
            code_index=lambda code: sha256(code.encode()).digest(),
            sign_pack=lambda _content: "",
            pack_key="",
            countersign=lambda _content: "signed by the server",
            sign_receipt=lambda _content: "signed by the server",
            recovery_key="",
            open_box=lambda box, _recipient, _station: box,
            sign_hall=lambda _content: "",
            campaign_code_key=lambda campaign: "00" * 32,
        )

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[ports.Work]:
        yield self.work()

    def pass_time(self, **spans: float) -> None:
        self.now += timedelta(**spans)

    @property
    def said(self) -> list[str]:
        return [event.TYPE.removeprefix("capture.").removesuffix(".v1") for event in self.events.said]

    async def open(self) -> None:
        """Let the campaign and its desk be known."""
        await self.floor.put_campaign(
            floor.Campaign(
                campaign_id=self.campaign_id,
                identity_mode="capture_code",
                profile="chsi-2017-99",
                retake_limit=3,
                face_consent="",
                double_rule="first_received",
                desk_pack_hours=72,
                desk_pack_fresh_minutes=120,
                seat={},
                upload_kbit_s=None,
                campuses={self.campus_id: "boda"},
                open=True,
                version=1,
            )
        )
        group = ids.GroupId(self.new_id())
        await self.floor.put_desks(
            [floor.Desk(self.desk_id, self.campaign_id, group, "A", self.campus_id, "A1", 90, 1)]
        )

    async def enrol_student(self) -> ids.StudentId:
        student_id = ids.StudentId(self.new_id())
        await self.floor.put_student(
            floor.Student(student_id, self.campaign_id, self.class_id, True, 1, withdrawn=False, version=1)
        )
        return student_id

    def shot(self, student_id: ids.StudentId | None, decision: photos.Decision = "keep", **other: Any) -> photos.Shot:
        """A frame whose original lies in the store already."""
        capture_id = ids.CaptureId(self.new_id())
        original = f"frame {capture_id}".encode()
        digest = sha256(original).hexdigest()
        self.objects.rows[photos.original_key(self.campaign_id, digest)] = original
        frame = photos.Shot(
            capture_id=capture_id,
            campaign_id=self.campaign_id,
            desk_id=self.desk_id,
            station_id=self.station_id,
            student_id=student_id,
            checkin_id=None,
            ticket=None,
            sha256=digest,
            size_bytes=len(original),
            shutter_at=self.now,
            camera_serial="V1",
            frame_counter=1,
            monotonic_ns=1,
            decision=decision,
            override_role=None,
            override_mark=None,
            desk_verdict="accept",
            desk_rules=(),
        )
        return replace(frame, **other)
