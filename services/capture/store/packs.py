"""The desk pack: what a desk may know, and what has changed in it since a station last asked.

Triggers note whose row has changed; the next one who asks brings those students' entries up to date under the
campaign's lock, and only if an entry is then another one, the campaign's number grows. So a number is never seen before
its changes are, whatever the order in which transactions commit, and nothing is worked out twice.
"""

import hashlib
import json
import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from services.capture import ports, store
from services.capture.domain import floor, packs
from services.capture.store import desk as desks

CHECKINS, STUDENTS, CLASSES, SLOTS = store.CHECKINS, store.STUDENTS, store.CLASSES, store.SLOTS
NOTED, ENTRIES, STATES = store.PACK_NOTED, store.PACK_ENTRIES, store.PACK_STATES
#: What of an entry a station is told.
TOLD = ("class_id", "digest", "ordinal", "eligible", "photographed")


class Packs:
    """Desk packs over a transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    # -- the campaign's students

    async def students(self, campaign: floor.Campaign) -> packs.Students:
        noted = sa.select(sa.exists().where(NOTED.c.campaign_id == campaign.campaign_id))
        if (await self._tx.execute(noted)).scalar_one():
            await desks.lock_id(self._tx, "pack", campaign.campaign_id)
            await self._bring_up_to_date(campaign)
        return await self._latest(campaign.campaign_id)

    async def knows(self, campaign_id: ids.CampaignId, students: packs.Students) -> bool:
        same = sa.and_(STATES.c.campaign_id == campaign_id, STATES.c.number == students.number)
        mark = (await self._tx.execute(sa.select(STATES.c.mark).where(same))).scalar_one_or_none()
        return mark == students.mark

    async def entries(self, campaign_id: ids.CampaignId, since: int | None = None) -> str:
        wanted = [ENTRIES.c.campaign_id == campaign_id, ~ENTRIES.c.gone]
        if since is not None:
            wanted.append(ENTRIES.c.number > since)
        order = postgresql.aggregate_order_by(_as_json(), ENTRIES.c.class_id, ENTRIES.c.ordinal, ENTRIES.c.student_id)
        query = sa.select(sa.cast(sa.func.json_agg(order), sa.Text)).where(*wanted)
        return (await self._tx.execute(query)).scalar_one() or "[]"

    async def gone(self, campaign_id: ids.CampaignId, since: int) -> list[str]:
        left = sa.select(ENTRIES.c.student_id).where(
            ENTRIES.c.campaign_id == campaign_id, ENTRIES.c.gone, ENTRIES.c.number > since
        )
        return [str(row.student_id) for row in await self._tx.execute(left)]

    async def _latest(self, campaign_id: ids.CampaignId) -> packs.Students:
        latest = sa.select(STATES.c.number, STATES.c.mark).where(STATES.c.campaign_id == campaign_id)
        row = (await self._tx.execute(latest.order_by(STATES.c.number.desc()).limit(1))).one_or_none()
        return packs.Students(row.number, row.mark) if row else packs.Students()

    async def _bring_up_to_date(self, campaign: floor.Campaign) -> None:
        number = (await self._latest(campaign.campaign_id)).number + 1
        now_so = _now_so(campaign, number)
        columns = ["student_id", "campaign_id", *TOLD, "gone", "number"]
        insert = postgresql.insert(ENTRIES).from_select(columns, now_so)
        shown = [*TOLD, "gone", "campaign_id"]
        put = insert.on_conflict_do_update(
            index_elements=[ENTRIES.c.student_id],
            set_={name: insert.excluded[name] for name in (*shown, "number")},
            where=sa.or_(*(ENTRIES.c[name].is_distinct_from(insert.excluded[name]) for name in shown)),
        )
        if (await self._tx.execute(put)).rowcount:
            mark = secrets.token_hex(4)
            await self._tx.execute(sa.insert(STATES).values(campaign_id=campaign.campaign_id, number=number, mark=mark))

    # -- the desk's own part

    async def head(self, campaign: floor.Campaign, desk: floor.Desk) -> ports.Head:
        classes = await self._classes(campaign.campaign_id, desk.group_id)
        next_ticket = await self._next_ticket(desk)
        digest = _digest([next_ticket, campaign.version, desk.revision])
        of_classes = _digest(classes)
        number = await self._number(desk.desk_id, f"{digest}-{of_classes}")
        return ports.Head(number, digest, of_classes, tuple(classes), next_ticket)

    async def _classes(self, campaign_id: ids.CampaignId, group_id: ids.GroupId) -> list[dict[str, Any]]:
        """Those of the group's slots; a class without any slot goes to groups with a delegated block."""
        live = sa.select(SLOTS).where(SLOTS.c.campaign_id == campaign_id, ~SLOTS.c.cancelled).subquery()
        here = sa.select(live.c.class_id, live.c.order_code, live.c.starts_at).where(live.c.group_id == group_id)
        slots = (await self._tx.execute(here.order_by(live.c.starts_at))).all()
        order_codes = {slot.class_id: slot.order_code for slot in reversed(slots) if slot.class_id is not None}
        begins: dict[Any, list[str]] = {}
        for slot in slots:
            if slot.starts_at is not None:
                begins.setdefault(slot.class_id, []).append(slot.starts_at.isoformat())
        takes_unplanned = not slots or any(slot.class_id is None for slot in slots)
        planned = sa.select(live.c.class_id).where(live.c.class_id.is_not(None))
        wanted: sa.ColumnElement[bool] = CLASSES.c.class_id.in_(list(order_codes))
        if takes_unplanned:
            wanted = sa.or_(wanted, CLASSES.c.class_id.not_in(planned))
        query = sa.select(CLASSES.c.class_id, CLASSES.c.label).where(CLASSES.c.campaign_id == campaign_id, wanted)
        rows = await self._tx.execute(query.order_by(CLASSES.c.label, CLASSES.c.class_id))
        return [
            {
                "class_id": str(row.class_id),
                "label": row.label,
                "order_code": order_codes.get(row.class_id),
                "starts_at": begins.get(row.class_id, []),
            }
            for row in rows
        ]

    async def _next_ticket(self, desk: floor.Desk) -> int:
        number = sa.cast(sa.func.right(CHECKINS.c.ticket, 4), sa.Integer)
        last = sa.select(sa.func.max(number)).where(
            CHECKINS.c.campaign_id == desk.campaign_id, CHECKINS.c.desk_id == desk.desk_id
        )
        return ((await self._tx.execute(last)).scalar() or 0) + 1

    async def _number(self, desk_id: ids.DeskId, digest: str) -> int:
        heads = store.PACK_HEADS
        known = sa.select(heads.c.number).where(heads.c.desk_id == desk_id, heads.c.digest == digest)
        number = (await self._tx.execute(known)).scalar_one_or_none()
        if number is None:
            insert = postgresql.insert(heads).values(desk_id=desk_id, digest=digest, number=1)
            put = insert.on_conflict_do_update(
                index_elements=[heads.c.desk_id],
                set_={"digest": digest, "number": heads.c.number + sa.case((heads.c.digest == digest, 0), else_=1)},
            )
            number = (await self._tx.execute(put.returning(heads.c.number))).scalar_one()
        return int(number)


def _now_so(campaign: floor.Campaign, number: int) -> sa.Select[Any]:
    """The entries of those who were noted, as they are now; the notes are taken away in the same statement."""
    taken = sa.delete(NOTED).where(NOTED.c.campaign_id == campaign.campaign_id).returning(NOTED.c.student_id)
    noted = sa.select(taken.cte("taken").c.student_id).distinct().subquery()
    # The mode as it is in this very statement: the change of it that made these notes may be newer than `campaign`.
    mode = sa.select(store.CAMPAIGNS.c.identity_mode).where(store.CAMPAIGNS.c.campaign_id == campaign.campaign_id)
    code = sa.and_(store.CODES.c.student_id == STUDENTS.c.student_id, store.CODES.c.mode == mode.scalar_subquery())
    in_force = sa.exists().where(
        store.CAPTURES.c.campaign_id == campaign.campaign_id,
        store.CAPTURES.c.student_id == STUDENTS.c.student_id,
        store.CAPTURES.c.state == "accepted",
    )
    return (
        sa.select(
            STUDENTS.c.student_id,
            STUDENTS.c.campaign_id,
            STUDENTS.c.class_id,
            store.CODES.c.digest,
            STUDENTS.c.ordinal,
            STUDENTS.c.eligible,
            in_force,
            STUDENTS.c.withdrawn,
            sa.literal(number, sa.BigInteger),
        )
        .select_from(STUDENTS)
        .join(noted, noted.c.student_id == STUDENTS.c.student_id)
        .outerjoin(store.CODES, code)
        .where(STUDENTS.c.campaign_id == campaign.campaign_id)
    )


def _as_json() -> sa.Function[Any]:
    names = ("student_id", *TOLD)
    pairs: list[sa.ColumnElement[Any]] = []
    for name in names:
        pairs += [sa.literal_column(f"'{name}'"), ENTRIES.c[name]]
    return sa.func.json_build_object(*pairs)


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
