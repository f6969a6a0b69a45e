"""The numbers of a desk with whose photo is whose, and the shifts that were done."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from kit import words
from services.capture import ports, store
from services.capture.domain import photos as domain
from services.capture.domain import ranges
from services.capture.store import desk, photos

CAPTURES, CHECKINS = store.CAPTURES, store.CHECKINS


class Ranges:
    """Ranges over a transaction."""

    def __init__(self, tx: AsyncConnection, kept: words.Words) -> None:
        self._tx, self._words = tx, kept

    async def lock(self, desk_id: ids.DeskId) -> None:
        await desk.lock_id(self._tx, "range", desk_id)

    async def places(self, campaign_id: ids.CampaignId, desk_id: ids.DeskId) -> list[ranges.Place]:
        here = sa.and_(CHECKINS.c.campaign_id == campaign_id, CHECKINS.c.desk_id == desk_id)
        numbers = sa.select(CHECKINS.c.ticket, CHECKINS.c.student_id).where(here).order_by(CHECKINS.c.ticket)
        held = [(row.ticket, row.student_id) for row in await self._tx.execute(numbers)]
        known = await self._photos(campaign_id, desk_id)
        used = _seat({ticket for ticket, _ in held}, held, known)
        return [
            ranges.Place(
                ticket, student_id, used.get(ticket), any(p.state == "received" for p in known.get(student_id, ()))
            )
            for ticket, student_id in held
        ]

    async def _photos(
        self, campaign_id: ids.CampaignId, desk_id: ids.DeskId
    ) -> dict[ids.StudentId, list[domain.Photo]]:
        """Photos in force or still inspected of everybody who was checked in at the desk, wherever they were taken."""
        came = sa.select(CHECKINS.c.student_id).where(
            CHECKINS.c.campaign_id == campaign_id, CHECKINS.c.desk_id == desk_id
        )
        query = sa.select(CAPTURES).where(
            CAPTURES.c.campaign_id == campaign_id,
            CAPTURES.c.state.in_(("accepted", "received")),
            CAPTURES.c.student_id.in_(came),
        )
        found: dict[ids.StudentId, list[domain.Photo]] = {}
        for row in (await self._tx.execute(query)).mappings():
            photo = photos.photo_of(row)
            found.setdefault(row["student_id"], []).append(photo)
        return found

    async def add(self, done: ports.RangeRebind) -> None:
        await self._tx.execute(
            sa.insert(store.RANGE_REBINDS).values(
                rebind_id=done.rebind_id,
                desk_id=done.shift.desk_id,
                first_ticket=done.shift.first,
                last_ticket=done.shift.last,
                places=done.shift.places,
                skipped=sorted(done.shift.skip),
                digest=done.digest,
                author=done.author,
                reason_sealed=self._words.seal(done.reason, store.RANGE_REASON, done.rebind_id),
                applied_at=done.applied_at,
                moves={str(capture_id): str(student_id) for capture_id, student_id in done.moves.items()},
            )
        )

    async def get(self, rebind_id: UUID) -> ports.RangeRebind | None:
        row = (
            (await self._tx.execute(sa.select(store.RANGE_REBINDS).where(store.RANGE_REBINDS.c.rebind_id == rebind_id)))
            .mappings()
            .one_or_none()
        )
        return self._done(row) if row else None

    async def of_desk(self, desk_id: ids.DeskId, after: UUID | None, limit: int) -> list[ports.RangeRebind]:
        table = store.RANGE_REBINDS
        query = sa.select(table).where(table.c.desk_id == desk_id).order_by(table.c.applied_at, table.c.rebind_id)
        if after is not None:
            last = sa.select(table.c.applied_at).where(table.c.rebind_id == after).scalar_subquery()
            query = query.where(sa.tuple_(table.c.applied_at, table.c.rebind_id) > sa.tuple_(last, after))
        return [self._done(row) for row in (await self._tx.execute(query.limit(limit))).mappings()]

    def _done(self, row: sa.RowMapping) -> ports.RangeRebind:
        return _done(row, self._words.open(row["reason_sealed"], store.RANGE_REASON, row["rebind_id"]))


def _seat(
    tickets: set[str], held: list[tuple[str, ids.StudentId]], known: dict[ids.StudentId, list[domain.Photo]]
) -> dict[str, domain.Photo]:
    """Under which number a photo stands: the one it was taken by where that is its student's, else their last one."""
    last = {student_id: ticket for ticket, student_id in held}
    owner = dict(held)
    found: dict[str, domain.Photo] = {}
    for student_id, theirs in known.items():
        for photo in theirs:
            if photo.state == "accepted":
                ticket = photo.shot.ticket
                own = ticket is not None and ticket in tickets and owner[ticket] == student_id
                found[ticket if own and ticket else last[student_id]] = photo
    return found


def _done(row: sa.RowMapping, reason: str) -> ports.RangeRebind:
    moves: dict[str, Any] = row["moves"]
    applied_at: datetime = row["applied_at"]
    return ports.RangeRebind(
        rebind_id=row["rebind_id"],
        shift=ranges.Shift(
            row["desk_id"], row["first_ticket"], row["last_ticket"], row["places"], frozenset(row["skipped"])
        ),
        digest=row["digest"],
        author=row["author"],
        reason=reason,
        applied_at=applied_at,
        moves={ids.CaptureId(UUID(key)): ids.StudentId(UUID(value)) for key, value in sorted(moves.items())},
    )
