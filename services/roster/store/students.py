"""Classes and students, changed a set at a time: twenty thousand rows are one statement, not twenty thousand.

Every statement marks what it touches with the change's id (`changed_in`), and raises a row's version once a change. So
the events of a change are one query at its end, and a row that did not change says nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from kit import words
from services.roster.domain import imports, roster
from services.roster.ports import StudentRecord
from services.roster.store import CLASSES, STUDENTS, VAULT, codes, listings

_WRITE_CLASS = sa.text("""
    insert into roster.classes as c
        (class_id, campaign_id, campus_id, college_zh, label, headcount, version, registered_in, changed_in)
    values (:class_id, :campaign_id, :campus_id, :college_zh, :label, 0, 1, :change, :change)
    on conflict (class_id) do update
        set campus_id = excluded.campus_id, version = c.version + 1, changed_in = excluded.changed_in
""")

#: A class on another campus takes its students along: their events name the campus.
_FOLLOW_CLASSES = sa.text("""
    update roster.students s set version = s.version + 1, changed_in = :change
    from roster.classes c
    where c.class_id = s.class_id and c.campaign_id = :campaign_id and c.changed_in = :change
      and s.changed_in <> :change and not s.withdrawn
""")

#: The ordinal is a first guess, right for a whole new class; `_ORDINALS` mends the rest. The withdrawn enrol anew.
#: A student whose code is new too takes two steps in version: the second is the code's.
_WRITE_STUDENTS = sa.text("""
    insert into roster.students as s
        (student_id, campaign_id, class_id, student_no, cohort, level, eligible, withdrawn, ordinal, version,
         enrolled_in, changed_in)
    select t.student_id, :campaign_id, t.class_id, t.student_no, t.cohort, t.level, t.eligible, false,
           row_number() over (partition by t.class_id order by t.student_no collate "C"),
           case when t.digest is not null and t.digest is distinct from k.digest then 2 else 1 end, :change, :change
    from roster.staged t left join roster.codes k using (student_id) where t.change_id = :change
    on conflict (student_id) do update set
        class_id = excluded.class_id, cohort = excluded.cohort, level = excluded.level, eligible = excluded.eligible,
        enrolled_in = case when s.withdrawn then excluded.enrolled_in else s.enrolled_in end,
        withdrawn = false, withdrawn_for_sealed = null,
        version = s.version + excluded.version, changed_in = excluded.changed_in
""")

_WRITE_VAULT = sa.text("""
    insert into roster.vault as v
        (student_id, campaign_id, document_type, sex, name_sealed, document_sealed, phone_sealed, document_index,
         fingerprint, in_force)
    select student_id, :campaign_id, document_type, sex, name_sealed, document_sealed, phone_sealed, document_index,
           fingerprint, true
    from roster.staged where change_id = :change
    on conflict (student_id) do update set
        document_type = excluded.document_type, sex = excluded.sex, name_sealed = excluded.name_sealed,
        document_sealed = excluded.document_sealed, phone_sealed = excluded.phone_sealed,
        document_index = excluded.document_index, fingerprint = excluded.fingerprint, in_force = true
""")

_ORDINALS = sa.text("""
    with ranked as (
        select student_id, row_number() over (partition by class_id order by student_no collate "C") as place
        from roster.students where campaign_id = :campaign_id and not withdrawn
    )
    update roster.students s
    set ordinal = ranked.place, changed_in = :change,
        version = s.version + case when s.changed_in = :change then 0 else 1 end
    from ranked where ranked.student_id = s.student_id and ranked.place <> s.ordinal
""")

_HEADCOUNTS = sa.text("""
    with counted as (
        select c.class_id, count(s.student_id) filter (where s.eligible and not s.withdrawn) as heads
        from roster.classes c left join roster.students s using (class_id)
        where c.campaign_id = :campaign_id group by c.class_id
    )
    update roster.classes c
    set headcount = counted.heads, changed_in = :change,
        version = c.version + case when c.changed_in = :change then 0 else 1 end
    from counted where counted.class_id = c.class_id and counted.heads <> c.headcount
""")

_REASSESS = sa.text("""
    update roster.students s set eligible = wanted.eligible, version = s.version + 1, changed_in = :change
    from unnest(cast(:cohorts as text[]), cast(:eligible as boolean[])) as wanted (cohort, eligible)
    where s.campaign_id = :campaign_id and s.cohort = wanted.cohort and s.eligible <> wanted.eligible
""")

_TOUCHED_CLASSES = sa.text("""
    select class_id, campaign_id, campus_id, college_zh, label, headcount, version, registered_in = :change as new
    from roster.classes where campaign_id = :campaign_id and changed_in = :change order by class_id
""")

_TOUCHED_STUDENTS = sa.text("""
    select s.student_id, s.campaign_id, s.class_id, c.campus_id, s.cohort, s.eligible, s.ordinal,
           case when k.student_id is null then s.version else s.version - 1 end, s.enrolled_in = :change as new
    from roster.students s join roster.classes c using (class_id)
    left join roster.codes k on k.student_id = s.student_id and k.registered_in = :change
    where s.campaign_id = :campaign_id and s.changed_in = :change and not s.withdrawn
    order by s.class_id, s.ordinal
""")


class Students:
    """See `ports.Students`."""

    def __init__(self, tx: AsyncConnection, kept: words.Words) -> None:
        self._tx, self._words = tx, kept

    async def known(self, campaign_id: ids.CampaignId) -> imports.Roster:
        query = (
            sa.select(*(_KNOWN[name] for name in imports.Known._fields))
            .join_from(STUDENTS, VAULT, VAULT.c.student_id == STUDENTS.c.student_id)
            .where(STUDENTS.c.campaign_id == campaign_id)
        )
        students = [imports.Known(*row) for row in await self._tx.execute(query)]
        columns = (CLASSES.c[name] for name in imports.KnownClass._fields)
        classes = await self._tx.execute(sa.select(*columns).where(CLASSES.c.campaign_id == campaign_id))
        return imports.Roster(students, [imports.KnownClass(*row) for row in classes])

    async def sealed_names(self, student_ids: Sequence[ids.StudentId]) -> Mapping[ids.StudentId, bytes]:
        if not student_ids:
            return {}
        wanted = sa.func.any(sa.cast(list(student_ids), sa.ARRAY(sa.Uuid)))
        query = sa.select(VAULT.c.student_id, VAULT.c.name_sealed).where(VAULT.c.student_id == wanted)
        return {row[0]: row[1] for row in await self._tx.execute(query)}

    async def enrol(
        self, campaign_id: ids.CampaignId, change: UUID, classes: Sequence[imports.KnownClass]
    ) -> roster.Touched:
        of = {"campaign_id": campaign_id, "change": change}
        if classes:
            await self._tx.execute(_WRITE_CLASS, [{**one._asdict(), **of} for one in classes])
            await self._tx.execute(_FOLLOW_CLASSES, of)
        await self._tx.execute(_WRITE_STUDENTS, of)
        await self._tx.execute(_WRITE_VAULT, of)
        registered = await codes.register_staged(self._tx, campaign_id, change)
        touched = await self.settle(campaign_id, change)
        return touched._replace(codes=registered)

    async def withdraw(self, student_id: ids.StudentId, change: UUID, reason: str) -> int:
        update = STUDENTS.update().where(STUDENTS.c.student_id == student_id)
        said = self._words.seal(reason, "students.withdrawn_for", student_id)
        next_version = STUDENTS.c.version + 1
        raised = update.values(withdrawn=True, withdrawn_for_sealed=said, version=next_version, changed_in=change)
        version: int = (await self._tx.execute(raised.returning(STUDENTS.c.version))).scalar_one()
        await self._tx.execute(VAULT.update().where(VAULT.c.student_id == student_id).values(in_force=False))
        return version

    async def settle(self, campaign_id: ids.CampaignId, change: UUID) -> roster.Touched:
        of = {"campaign_id": campaign_id, "change": change}
        await self._tx.execute(_ORDINALS, of)
        await self._tx.execute(_HEADCOUNTS, of)
        classes = [roster.ClassState(*row) for row in await self._tx.execute(_TOUCHED_CLASSES, of)]
        students = [roster.StudentState(*row) for row in await self._tx.execute(_TOUCHED_STUDENTS, of)]
        return roster.Touched(classes, students, ())

    async def reassess(self, campaign_id: ids.CampaignId, change: UUID, eligible: Mapping[str, bool]) -> None:
        of: dict[str, Any] = {"campaign_id": campaign_id, "change": change}
        wanted = {"cohorts": list(eligible), "eligible": list(eligible.values())}
        await self._tx.execute(_REASSESS, of | wanted)

    async def get(self, student_id: ids.StudentId) -> StudentRecord | None:
        query = listings.RECORDS.where(STUDENTS.c.student_id == student_id)
        row = (await self._tx.execute(query)).one_or_none()
        return None if row is None else StudentRecord(*row)

    async def find(self, campaign_id: ids.CampaignId, student_nos: Sequence[str]) -> Mapping[str, ids.StudentId]:
        query = sa.select(STUDENTS.c.student_no, STUDENTS.c.student_id).where(
            STUDENTS.c.campaign_id == campaign_id, STUDENTS.c.student_no.in_(student_nos), ~STUDENTS.c.withdrawn
        )
        return {row[0]: row[1] for row in await self._tx.execute(query)}


_KNOWN: Mapping[str, sa.ColumnElement[Any]] = {
    **{name: STUDENTS.c[name] for name in imports.Known._fields if name in STUDENTS.c},
    **{name: VAULT.c[name] for name in ("document_index", "fingerprint")},
}
