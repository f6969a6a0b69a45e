"""What staff ask: fleet, progress, lists. Each is one or two statements over an index."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from kit import words
from services.capture import ports, store
from services.capture.store import sets

CAPTURES, CHECKINS, STUDENTS, CLASSES = store.CAPTURES, store.CHECKINS, store.STUDENTS, store.CLASSES
DESKS, STATIONS = store.DESKS, store.STATIONS

#: The columns of a capture that staff see.
_LISTED = (
    CAPTURES.c.capture_id,
    CAPTURES.c.campaign_id,
    CAPTURES.c.student_id,
    CAPTURES.c.class_id,
    CAPTURES.c.desk_id,
    CAPTURES.c.station_id,
    CAPTURES.c.checkin_id,
    CAPTURES.c.ticket,
    CAPTURES.c.state,
    CAPTURES.c.cause,
    CAPTURES.c.rules,
    CAPTURES.c.verdict,
    CAPTURES.c.desk_verdict,
    CAPTURES.c.desk_rules,
    CAPTURES.c.decision,
    CAPTURES.c.overridden,
    CAPTURES.c.sha256,
    CAPTURES.c.size_bytes,
    CAPTURES.c.shutter_at,
    CAPTURES.c.received_at,
    CAPTURES.c.camera_serial,
    CAPTURES.c.frame_counter,
    CAPTURES.c.clock_offset_s,
    CAPTURES.c.profile,
    CAPTURES.c.photo_key,
    CAPTURES.c.photo_sha256,
    CAPTURES.c.version,
)


#: The columns of an accepted photo.
_PHOTO = (
    "capture_id",
    "student_id",
    "class_id",
    "photo_key",
    "photo_sha256",
    "shutter_at",
    "overridden",
    "version",
)


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count().filter(condition)


def _scoped(scope: ports.Scope) -> list[sa.ColumnElement[bool]]:
    """The conditions on `classes` that a scope sets."""
    wanted = (
        (CLASSES.c.campus_id, scope.campus_ids),
        (CLASSES.c.college_zh, scope.colleges),
        (CLASSES.c.class_id, scope.class_ids),
    )
    return [column.in_(values) for column, values in wanted if values is not None]


def _seen(student_id: sa.Column[Any], scope: ports.Scope) -> list[sa.ColumnElement[bool]]:
    """The conditions on rows of a student that a scope sets, by their class now; none for the whole campaign."""
    conditions = _scoped(scope)
    if not conditions:
        return []
    theirs = sa.select(STUDENTS.c.student_id).join(CLASSES, CLASSES.c.class_id == STUDENTS.c.class_id)
    return [student_id.in_(theirs.where(*conditions))]


class Reports:
    """Answers over a transaction."""

    def __init__(self, tx: AsyncConnection, kept: words.Words) -> None:
        self._tx, self._words = tx, kept

    async def fleet(
        self, fleet: ports.Fleet, campaign_id: ids.CampaignId | None, after: UUID | None, limit: int
    ) -> list[dict[str, Any]]:
        query = (
            sa.select(
                STATIONS.c.station_id,
                STATIONS.c.campaign_id,
                STATIONS.c.desk_id,
                DESKS.c.code.label("desk_code"),
                DESKS.c.group_code,
                DESKS.c.campus_id,
                STATIONS.c.label,
                STATIONS.c.state,
                STATIONS.c.online,
                STATIONS.c.last_seen_at,
                STATIONS.c.health,
            )
            .outerjoin(DESKS, DESKS.c.desk_id == STATIONS.c.desk_id)
            .order_by(STATIONS.c.station_id)
            .limit(limit)
        )
        if campaign_id is not None:
            query = query.where(STATIONS.c.campaign_id == campaign_id)
        if fleet.campaign_ids is not None:
            query = query.where(STATIONS.c.campaign_id.in_(fleet.campaign_ids))
        if fleet.campus_ids is not None:
            query = query.where(DESKS.c.campus_id.in_(fleet.campus_ids))
        if after is not None:
            query = query.where(STATIONS.c.station_id > after)
        return [
            {**{name: value for name, value in row.items() if name != "health"}, **row["health"]}
            for row in (await self._tx.execute(query)).mappings()
        ]

    async def hall(self, group_id: ids.GroupId) -> list[dict[str, Any]]:
        query = (
            sa.select(STATIONS.c.station_id, DESKS.c.code, STATIONS.c.public_key_pem, STATIONS.c.health)
            .join(DESKS, DESKS.c.desk_id == STATIONS.c.desk_id)
            .where(DESKS.c.group_id == group_id, STATIONS.c.state == "enrolled")
            .order_by(DESKS.c.code, STATIONS.c.station_id)
        )
        return [
            {
                "station_id": str(row.station_id),
                "desk_code": row.code,
                "public_key_pem": row.public_key_pem,
                "address": row.health.get("hall_address"),
            }
            for row in await self._tx.execute(query)
        ]

    async def doubles(
        self, campaign_id: ids.CampaignId, scope: ports.Scope, after: UUID | None, limit: int
    ) -> list[dict[str, Any]]:
        doubles = store.DOUBLES
        taken = sa.select(sa.func.array_agg(CAPTURES.c.capture_id)).where(
            CAPTURES.c.student_id == doubles.c.student_id, CAPTURES.c.decision != "retake"
        )
        query = (
            sa.select(
                *(column for column in doubles.c if column.name != "campaign_id"),
                sa.func.coalesce(taken.scalar_subquery(), sa.literal([], ARRAY(sa.Uuid))).label("capture_ids"),
            )
            .outerjoin(STUDENTS, STUDENTS.c.student_id == doubles.c.student_id)
            .where(doubles.c.campaign_id == campaign_id, *_seen(STUDENTS.c.student_id, scope))
        )
        if after is not None:
            query = query.where(doubles.c.student_id > after)
        rows = await self._tx.execute(query.order_by(doubles.c.student_id).limit(limit))
        return [dict(row) for row in rows.mappings()]

    async def covers(self, scope: ports.Scope, class_id: ids.ClassId) -> bool:
        known = sa.select(sa.exists().where(CLASSES.c.class_id == class_id, *_scoped(scope)))
        return bool((await self._tx.execute(known)).scalar())

    async def progress(self, campaign_id: ids.CampaignId, scope: ports.Scope) -> dict[str, Any]:
        return {
            "by_class": await self._progress_of_classes(campaign_id, scope),
            "by_desk": await self._progress_of_desks(campaign_id, scope),
        }

    async def _progress_of_classes(self, campaign_id: ids.CampaignId, scope: ports.Scope) -> list[dict[str, Any]]:
        # A student counts where roster has them now, wherever they stood when the photo was taken.
        counted = (
            sa.select(
                STUDENTS.c.class_id,
                _count(STUDENTS.c.eligible).label("eligible"),
                _count(sets.checked_in(campaign_id)).label("checked_in"),
                _count(sets.photographed(campaign_id)).label("photographed"),
            )
            .where(STUDENTS.c.campaign_id == campaign_id, ~STUDENTS.c.withdrawn)
            .group_by(STUDENTS.c.class_id)
            .subquery("counted")
        )
        query = (
            sa.select(
                CLASSES.c.class_id,
                CLASSES.c.label,
                CLASSES.c.college_zh,
                CLASSES.c.campus_id,
                sa.func.coalesce(counted.c.eligible, 0).label("eligible"),
                sa.func.coalesce(counted.c.checked_in, 0).label("checked_in"),
                sa.func.coalesce(counted.c.photographed, 0).label("photographed"),
            )
            .outerjoin(counted, counted.c.class_id == CLASSES.c.class_id)
            .where(CLASSES.c.campaign_id == campaign_id, *_scoped(scope))
            .order_by(CLASSES.c.college_zh, CLASSES.c.label)
        )
        return [dict(row) for row in (await self._tx.execute(query)).mappings()]

    async def _progress_of_desks(self, campaign_id: ids.CampaignId, scope: ports.Scope) -> list[dict[str, Any]]:
        came = (
            sa.select(CHECKINS.c.desk_id, sa.func.count().label("checkins"))
            .where(CHECKINS.c.campaign_id == campaign_id)
            .group_by(CHECKINS.c.desk_id)
            .subquery("came")
        )
        shot = (
            sa.select(
                CAPTURES.c.desk_id,
                sa.func.count().label("captures"),
                _count(CAPTURES.c.state == "accepted").label("accepted"),
                _count(CAPTURES.c.state == "rejected").label("rejected"),
                _count(CAPTURES.c.decision == "retake").label("retakes"),
                _count(CAPTURES.c.state == "received").label("waiting"),
            )
            .where(CAPTURES.c.campaign_id == campaign_id)
            .group_by(CAPTURES.c.desk_id)
            .subquery("shot")
        )
        figures = ("captures", "accepted", "rejected", "retakes", "waiting")
        query = (
            sa.select(
                DESKS.c.desk_id,
                DESKS.c.code,
                DESKS.c.campus_id,
                DESKS.c.planned_per_hour,
                sa.func.coalesce(came.c.checkins, 0).label("checkins"),
                *(sa.func.coalesce(shot.c[name], 0).label(name) for name in figures),
            )
            .outerjoin(came, came.c.desk_id == DESKS.c.desk_id)
            .outerjoin(shot, shot.c.desk_id == DESKS.c.desk_id)
            .where(DESKS.c.campaign_id == campaign_id)
            .order_by(DESKS.c.code)
        )
        if scope.campus_ids is not None:
            query = query.where(DESKS.c.campus_id.in_(scope.campus_ids))
        return [dict(row) for row in (await self._tx.execute(query)).mappings()]

    async def captures(
        self,
        campaign_id: ids.CampaignId,
        scope: ports.Scope,
        after: UUID | None,
        limit: int,
        *,
        review: bool | None = None,
    ) -> list[dict[str, Any]]:
        query = sa.select(*_LISTED).where(CAPTURES.c.campaign_id == campaign_id, *_seen(CAPTURES.c.student_id, scope))
        if review is not None:
            doubtful = sa.and_(CAPTURES.c.state == "accepted", CAPTURES.c.verdict == "review")
            held = sa.and_(CAPTURES.c.state == "withdrawn", CAPTURES.c.cause == "checkin")
            to_review = sa.or_(doubtful, held)
            query = query.where(to_review.is_(True) if review else to_review.is_not(True))
        return await self._page(query, after, limit)

    async def capture(self, capture_id: ids.CaptureId) -> dict[str, Any]:
        row = await self._tx.execute(sa.select(*_LISTED).where(CAPTURES.c.capture_id == capture_id))
        return dict(row.mappings().one())

    async def photos(
        self, campaign_id: ids.CampaignId, scope: ports.Scope, after: UUID | None, limit: int
    ) -> list[dict[str, Any]]:
        names = [
            "capture_id",
            "student_id",
            "class_id",
            "photo_key",
            "photo_sha256",
            "shutter_at",
            "overridden",
            "version",
        ]
        in_force = sa.and_(CAPTURES.c.campaign_id == campaign_id, CAPTURES.c.state == "accepted")
        query = sa.select(*(CAPTURES.c[name] for name in names)).where(in_force, *_seen(CAPTURES.c.student_id, scope))
        return await self._page(query, after, limit)

    async def _page(self, query: sa.Select[Any], after: UUID | None, limit: int) -> list[dict[str, Any]]:
        if after is not None:
            query = query.where(CAPTURES.c.capture_id > after)
        rows = await self._tx.execute(query.order_by(CAPTURES.c.capture_id).limit(limit))
        return [dict(row) for row in rows.mappings()]

    async def of_student(
        self, student_id: ids.StudentId, scope: ports.Scope, after: UUID | None, limit: int
    ) -> list[dict[str, Any]]:
        theirs = sa.or_(CAPTURES.c.student_id == student_id, CAPTURES.c.shot_student_id == student_id)
        return await self._page(sa.select(*_LISTED).where(theirs, *_seen(CAPTURES.c.student_id, scope)), after, limit)

    async def history(self, capture_id: ids.CaptureId) -> list[dict[str, Any]]:
        history = store.HISTORY
        query = sa.select(history).where(history.c.capture_id == capture_id).order_by(history.c.version)
        rows = (await self._tx.execute(query)).mappings()
        return [self._opened(dict(row), store.HISTORY_REASON, capture_id) for row in rows]

    async def let_in(self, student_id: ids.StudentId) -> list[dict[str, Any]]:
        table = store.LET_IN
        query = sa.select(table).where(table.c.student_id == student_id).order_by(table.c.at, table.c.checkin_id)
        rows = (await self._tx.execute(query)).mappings()
        return [self._opened(dict(row), store.LET_IN_REASON, row["checkin_id"]) for row in rows]

    def _opened(self, row: dict[str, Any], subject: str, key: UUID) -> dict[str, Any]:
        sealed = row.pop("reason_sealed")
        return {**row, "reason": self._words.open(sealed, subject, key)}

    async def derivatives(self, capture_id: ids.CaptureId) -> list[dict[str, Any]]:
        lineage = store.DERIVATIVES
        query = sa.select(lineage).where(lineage.c.capture_id == capture_id).order_by(lineage.c.made_at)
        return [dict(row) for row in (await self._tx.execute(query)).mappings()]

    async def missing(
        self,
        campaign_id: ids.CampaignId,
        scope: ports.Scope,
        class_id: ids.ClassId | None,
        after: UUID | None,
        limit: int,
    ) -> list[dict[str, Any]]:
        columns = (STUDENTS.c.student_id, STUDENTS.c.class_id, STUDENTS.c.ordinal)
        query = sa.select(*columns, sets.checked_in(campaign_id).label("checked_in")).where(
            STUDENTS.c.campaign_id == campaign_id,
            STUDENTS.c.eligible,
            ~STUDENTS.c.withdrawn,
            sa.not_(sets.photographed(campaign_id)),
            *_seen(STUDENTS.c.student_id, scope),
        )
        if class_id is not None:
            query = query.where(STUDENTS.c.class_id == class_id)
        if after is not None:
            query = query.where(STUDENTS.c.student_id > after)
        rows = await self._tx.execute(query.order_by(STUDENTS.c.student_id).limit(limit))
        return [dict(row) for row in rows.mappings()]

    async def campaigns(self) -> list[ids.CampaignId]:
        table = store.CAMPAIGNS
        return list((await self._tx.execute(sa.select(table.c.campaign_id).order_by(table.c.campaign_id))).scalars())

    async def sessions(self, campaign_id: ids.CampaignId, after: UUID | None, limit: int) -> list[dict[str, Any]]:
        table = store.SESSIONS
        names = ("session_id", "desk_id", "station_id", "state", "camera_frames", "journalled_frames", "stored_frames")
        columns = [table.c[name] for name in (*names, "difference_count", "sealed_at")]
        query = sa.select(*columns).where(table.c.campaign_id == campaign_id)
        if after is not None:
            query = query.where(table.c.session_id > after)
        rows = await self._tx.execute(query.order_by(table.c.session_id).limit(limit))
        return [dict(row) for row in rows.mappings()]
