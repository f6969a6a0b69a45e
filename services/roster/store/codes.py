"""Registered digests, and the photos in force."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids, policy
from services.roster.domain import roster
from services.roster.store import CODES, PHOTOS, STUDENTS

_REGISTER_STAGED = sa.text("""
    insert into roster.codes as k (student_id, campaign_id, mode, digest, registered_in)
    select student_id, :campaign_id, mode, digest, :change from roster.staged
    where change_id = :change and digest is not null
    on conflict (student_id) do update
        set mode = excluded.mode, digest = excluded.digest, registered_in = excluded.registered_in
        where k.digest <> excluded.digest
""")
_DROP_STAGED = sa.text("delete from roster.staged where change_id = :change")

_REGISTERED = sa.text("""
    select k.student_id, k.campaign_id, k.mode, k.digest, s.version
    from roster.codes k join roster.students s using (student_id)
    where k.campaign_id = :campaign_id and k.registered_in = :change
""")


async def register_staged(tx: AsyncConnection, campaign_id: ids.CampaignId, change: UUID) -> Sequence[roster.CodeState]:
    """Register the digests of a change's staged rows, and forget those rows: the vault has what is personal.

    The students' versions are raised where students are written.
    """
    of = {"campaign_id": campaign_id, "change": change}
    await tx.execute(_REGISTER_STAGED, of)
    await tx.execute(_DROP_STAGED, {"change": change})
    return await _registered(tx, campaign_id, change)


async def _registered(tx: AsyncConnection, campaign_id: ids.CampaignId, change: UUID) -> Sequence[roster.CodeState]:
    found = await tx.execute(_REGISTERED, {"campaign_id": campaign_id, "change": change})
    return sorted(roster.CodeState(*row) for row in found)


class Codes:
    """See `ports.Codes`."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def owners(self, campaign_id: ids.CampaignId, digests: Sequence[str]) -> Mapping[str, ids.StudentId]:
        where = sa.and_(CODES.c.campaign_id == campaign_id, CODES.c.digest.in_(digests))
        found = await self._tx.execute(sa.select(CODES.c.digest, CODES.c.student_id).where(where))
        return {row[0]: row[1] for row in found}

    async def held(self, student_ids: Sequence[ids.StudentId]) -> Mapping[ids.StudentId, str]:
        where = CODES.c.student_id.in_(student_ids)
        found = await self._tx.execute(sa.select(CODES.c.student_id, CODES.c.digest).where(where))
        return {row[0]: row[1] for row in found}

    async def register(
        self, campaign_id: ids.CampaignId, mode: policy.IdentityMode, digests: Mapping[ids.StudentId, str], change: UUID
    ) -> Sequence[roster.CodeState]:
        if not digests:
            return []
        # One may take over a code that another gives up in the same request, so the old ones go first.
        await self._tx.execute(CODES.delete().where(CODES.c.student_id.in_(digests)))
        rows = [
            {
                "student_id": student_id,
                "campaign_id": campaign_id,
                "mode": mode,
                "digest": digest,
                "registered_in": change,
            }
            for student_id, digest in digests.items()
        ]
        await self._tx.execute(CODES.insert(), rows)
        raised = STUDENTS.update().where(STUDENTS.c.student_id.in_(digests)).values(version=STUDENTS.c.version + 1)
        await self._tx.execute(raised)
        return await _registered(self._tx, campaign_id, change)


class Photos:
    """See `ports.Photos`."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def put(self, capture_id: ids.CaptureId, student_id: ids.StudentId, *, in_force: bool, version: int) -> None:
        insert = postgresql.insert(PHOTOS).values(
            capture_id=capture_id, student_id=student_id, in_force=in_force, version=version
        )
        newer = insert.excluded.version > PHOTOS.c.version
        await self._tx.execute(
            insert.on_conflict_do_update(
                index_elements=[PHOTOS.c.capture_id],
                set_={name: insert.excluded[name] for name in ("student_id", "in_force", "version")},
                where=newer,
            )
        )
