"""What students said to face comparison."""

from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from services.capture import store
from services.capture.domain import consents

TABLE = store.CONSENTS


class Consents:
    """Consents over a transaction."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    async def add(self, consent: consents.Consent) -> consents.Consent:
        await self._tx.execute(postgresql.insert(TABLE).values(asdict(consent)).on_conflict_do_nothing())
        query = sa.select(TABLE).where(TABLE.c.consent_id == consent.consent_id)
        return consents.Consent(**(await self._tx.execute(query)).mappings().one())

    async def of_student(self, student_id: ids.StudentId) -> list[consents.Consent]:
        query = sa.select(TABLE).where(TABLE.c.student_id == student_id).order_by(TABLE.c.at, TABLE.c.consent_id)
        return [consents.Consent(**row) for row in (await self._tx.execute(query)).mappings()]
