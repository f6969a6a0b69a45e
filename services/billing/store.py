"""Billing's tables, and the ports over them. What must never break is guarded by the migration's triggers."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts import ids
from gradphoto_contracts.billing import Payer
from kit import db, inbox, outbox
from services.billing import domain

METADATA = db.metadata_for("billing")


def _payer_columns() -> tuple[sa.Column[Any], sa.Column[Any]]:
    return sa.Column("payer_kind", sa.Text, nullable=False), sa.Column("payer_ref", sa.Text, nullable=False)


def _fen(name: str, *rules: Any, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, *rules, nullable=False, **options)


CAMPAIGNS = sa.Table(
    "campaigns",
    METADATA,
    sa.Column("campaign_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("school_code", sa.Text, nullable=False),
    # None: only the closing of the campaign is known so far.
    sa.Column("mode", sa.Text),
    _fen("amount_fen"),
    sa.Column("closed", sa.Boolean, nullable=False, server_default=sa.false()),
)
CLASSES = sa.Table(
    "classes",
    METADATA,
    sa.Column("class_id", sa.Uuid, primary_key=True),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("college_zh", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Index("ix_classes_campaign_id", "campaign_id", "college_zh"),
)
STUDENTS = sa.Table(
    "students",
    METADATA,
    sa.Column("student_id", sa.Uuid, primary_key=True),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    sa.Column("class_id", sa.Uuid, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("ix_students_campaign_id", "campaign_id", "class_id"),
)
PHOTOS = sa.Table(
    "photos",
    METADATA,
    sa.Column("capture_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("class_id", sa.Uuid, nullable=False),
    sa.Column("in_force", sa.Boolean, nullable=False),
    sa.Index("ix_photos_student_id", "student_id"),
)
CHARGES = sa.Table(
    "charges",
    METADATA,
    sa.Column("charge_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("class_id", sa.Uuid, nullable=False),
    *_payer_columns(),
    _fen("amount_fen"),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.UniqueConstraint("campaign_id", "student_id"),
    sa.CheckConstraint("amount_fen >= 0", name="amount"),
    sa.Index("ix_charges_payer", "campaign_id", "payer_kind", "payer_ref"),
)
ACCOUNTS = sa.Table(
    "accounts",
    METADATA,
    sa.Column("campaign_id", sa.Uuid, primary_key=True),
    sa.Column("payer_kind", sa.Text, primary_key=True),
    sa.Column("payer_ref", sa.Text, primary_key=True),
    sa.Column("photographed_heads", sa.Integer, nullable=False),
    _fen("owed_fen"),
    sa.Column("paid_heads", sa.Integer, nullable=False),
    _fen("paid_fen"),
    _fen("covered_fen"),
    sa.Column("forfeited_heads", sa.Integer, nullable=False),
    _fen("forfeited_fen"),
    sa.Column("settled", sa.Boolean, nullable=False),
    sa.Column("found_photographed", sa.Integer),
    sa.Column("found_paid", sa.Integer),
    sa.Column("finds", sa.Integer, nullable=False),
    sa.CheckConstraint(
        "photographed_heads >= 0 and owed_fen >= 0 and paid_heads >= 0 and paid_fen >= 0", name="never_negative"
    ),
)
TRANSACTIONS = sa.Table(
    "transactions",
    METADATA,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("cause_id", sa.Uuid, nullable=False),
    sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("ix_transactions_campaign_id", "campaign_id", "seq"),
)
ENTRIES = sa.Table(
    "entries",
    METADATA,
    sa.Column("seq", sa.BigInteger, sa.ForeignKey(TRANSACTIONS.c.seq), primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    _fen("amount_fen"),
)
PAYMENTS = sa.Table(
    "payments",
    METADATA,
    sa.Column("payment_id", sa.Uuid, primary_key=True),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    *_payer_columns(),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("heads", sa.Integer, nullable=False),
    _fen("amount_fen"),
    sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("receipt_id", sa.Uuid),
    sa.CheckConstraint("heads > 0 and amount_fen >= 0", name="something"),
    sa.Index("ix_payments_campaign_id", "campaign_id"),
)
VOUCHERS = sa.Table(
    "vouchers",
    METADATA,
    sa.Column("voucher_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    *_payer_columns(),
    sa.Column("payment_id", sa.Uuid, sa.ForeignKey(PAYMENTS.c.payment_id), nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    _fen("amount_fen"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("student_id", sa.Uuid),
    sa.UniqueConstraint("campaign_id", "number"),
    sa.CheckConstraint("(state = 'redeemed') = (student_id is not null)", name="redeemed_by_somebody"),
    sa.Index("ix_vouchers_payer", "campaign_id", "payer_kind", "payer_ref", "state", "number"),
    sa.Index("ix_vouchers_payment_id", "payment_id"),
    # One head uses one voucher: whatever the code does, the database refuses a second.
    sa.Index(
        "uq_vouchers_redeemed", "campaign_id", "student_id", unique=True, postgresql_where=sa.text("state = 'redeemed'")
    ),
)
REFUNDS = sa.Table(
    "refunds",
    METADATA,
    sa.Column("refund_id", sa.Uuid, primary_key=True),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    *_payer_columns(),
    sa.Column("heads", sa.Integer, nullable=False),
    _fen("amount_fen"),
    sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
)
RECEIPTS = sa.Table(
    "receipts",
    METADATA,
    sa.Column("receipt_id", sa.Uuid, primary_key=True),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    _fen("amount_fen"),
    sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
    sa.UniqueConstraint("campaign_id", "number"),
)
SETTLEMENTS = sa.Table(
    "settlements",
    METADATA,
    sa.Column("class_id", sa.Uuid, primary_key=True),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    *_payer_columns(),
    sa.Column("heads", sa.Integer, nullable=False),
    _fen("amount_fen"),
    sa.Column("standing", sa.Boolean, nullable=False),
    sa.Index("ix_settlements_payer", "campaign_id", "payer_kind", "payer_ref"),
)
NUMBERS = sa.Table(
    "numbers",
    METADATA,
    sa.Column("campaign_id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)
OUTBOX = outbox.table(METADATA)
INBOX = inbox.table(METADATA)


def _save_newer(table: sa.Table, key: str, values: dict[str, Any]) -> postgresql.Insert:
    """Insert, or overwrite what is older; the statement changes no row when what is stored is as new."""
    insert = postgresql.insert(table).values(values)
    fresh = {name: insert.excluded[name] for name in values if name != key}
    return insert.on_conflict_do_update(
        index_elements=[key], set_=fresh, where=insert.excluded.version > table.c.version
    )


def _payer(row: Any) -> Payer:
    return Payer(kind=row.payer_kind, ref=row.payer_ref)


def _pays(table: sa.Table, campaign_id: ids.CampaignId, payer: Payer) -> sa.ColumnElement[bool]:
    columns = table.c
    return sa.and_(columns.campaign_id == campaign_id, columns.payer_kind == payer.kind, columns.payer_ref == payer.ref)


def _flat(value: Any, *names: str) -> dict[str, Any]:
    """The columns `names` of a domain value, with its payer as two columns."""
    return {name: getattr(value, name) for name in names} | {
        "payer_kind": value.payer.kind,
        "payer_ref": value.payer.ref,
    }


class _Table:
    def __init__(self, tx: AsyncConnection, now: datetime) -> None:
        self._tx = tx
        self._now = now

    async def _one(self, query: sa.Select[Any]) -> Any:
        return (await self._tx.execute(query)).one_or_none()

    async def _all(self, query: sa.Select[Any]) -> list[Any]:
        return list((await self._tx.execute(query)).all())

    async def _lock(self, kind: str, key: UUID, *, shared: bool = False) -> None:
        lock = sa.func.pg_advisory_xact_lock_shared if shared else sa.func.pg_advisory_xact_lock
        await self._tx.execute(sa.select(lock(sa.func.hashtextextended(f"billing:{kind}:{key}", 0))))


class Campaigns(_Table):
    async def share(self, campaign_id: ids.CampaignId) -> None:
        await self._lock("campaign", campaign_id, shared=True)

    async def hold(self, campaign_id: ids.CampaignId) -> None:
        await self._lock("campaign", campaign_id)

    async def get(self, campaign_id: ids.CampaignId) -> domain.Campaign | None:
        known = sa.and_(CAMPAIGNS.c.campaign_id == campaign_id, CAMPAIGNS.c.mode.is_not(None))
        row = await self._one(sa.select(CAMPAIGNS).where(known))
        return domain.Campaign(**row._mapping) if row else None

    async def save(self, campaign: domain.Campaign) -> bool:
        values = {column.name: getattr(campaign, column.name) for column in CAMPAIGNS.c if column.name != "closed"}
        return bool((await self._tx.execute(_save_newer(CAMPAIGNS, "campaign_id", values))).rowcount)

    async def close(self, campaign_id: ids.CampaignId) -> None:
        blank = {"campaign_id": campaign_id, "version": 0, "code": "", "school_code": "", "amount_fen": 0}
        insert = postgresql.insert(CAMPAIGNS).values(**blank, closed=True)
        await self._tx.execute(insert.on_conflict_do_update(index_elements=["campaign_id"], set_={"closed": True}))

    async def all(self) -> list[domain.Campaign]:
        query = sa.select(CAMPAIGNS).where(CAMPAIGNS.c.mode.is_not(None)).order_by(CAMPAIGNS.c.campaign_id)
        return [domain.Campaign(**row._mapping) for row in await self._all(query)]


class Classes(_Table):
    async def get(self, class_id: ids.ClassId) -> domain.Class | None:
        row = await self._one(sa.select(CLASSES).where(CLASSES.c.class_id == class_id))
        return domain.Class(**row._mapping) if row else None

    async def college_exists(self, campaign_id: ids.CampaignId, college_zh: str) -> bool:
        found = sa.select(CLASSES.c.class_id).where(
            CLASSES.c.campaign_id == campaign_id, CLASSES.c.college_zh == college_zh
        )
        return await self._one(found.limit(1)) is not None

    async def save(self, known: domain.Class) -> bool:
        values = {column.name: getattr(known, column.name) for column in CLASSES.c}
        return bool((await self._tx.execute(_save_newer(CLASSES, "class_id", values))).rowcount)


def _student_values(student: domain.Student) -> dict[str, Any]:
    return {column.name: getattr(student, column.name) for column in STUDENTS.c}


class Students(_Table):
    async def lock(self, students: Iterable[domain.Student]) -> list[domain.Student]:
        known = sorted(students, key=lambda student: student.student_id)
        insert = postgresql.insert(STUDENTS).on_conflict_do_nothing()
        await self._tx.execute(insert, [_student_values(student) for student in known])
        wanted = STUDENTS.c.student_id.in_([student.student_id for student in known])
        locked = sa.select(STUDENTS).where(wanted).order_by(STUDENTS.c.student_id).with_for_update()
        return [domain.Student(**row._mapping) for row in await self._all(locked)]

    async def save(self, student: domain.Student) -> bool:
        return bool((await self._tx.execute(_save_newer(STUDENTS, "student_id", _student_values(student)))).rowcount)

    async def with_money(self, campaign_id: ids.CampaignId, class_id: ids.ClassId | None) -> list[domain.Student]:
        ours = [STUDENTS.c.campaign_id == campaign_id]
        if class_id is not None:
            ours.append(STUDENTS.c.class_id == class_id)
        photographed = sa.exists().where(PHOTOS.c.student_id == STUDENTS.c.student_id)
        query = sa.select(STUDENTS).where(*ours, photographed).order_by(STUDENTS.c.student_id)
        return [domain.Student(**row._mapping) for row in await self._all(query)]


class Photos(_Table):
    async def get(self, capture_id: ids.CaptureId) -> domain.Photo | None:
        await self._lock("capture", capture_id)
        row = await self._one(sa.select(PHOTOS).where(PHOTOS.c.capture_id == capture_id))
        return domain.Photo(**row._mapping) if row else None

    async def in_force(self, student_id: ids.StudentId) -> domain.Photo | None:
        query = sa.select(PHOTOS).where(PHOTOS.c.student_id == student_id, PHOTOS.c.in_force)
        row = await self._one(query.order_by(PHOTOS.c.capture_id).limit(1))
        return domain.Photo(**row._mapping) if row else None

    async def save(self, photo: domain.Photo) -> bool:
        values = {column.name: getattr(photo, column.name) for column in PHOTOS.c}
        return bool((await self._tx.execute(_save_newer(PHOTOS, "capture_id", values))).rowcount)


_CHARGE = ("charge_id", "version", "campaign_id", "student_id", "class_id", "amount_fen", "active")


class Charges(_Table):
    async def get(self, campaign_id: ids.CampaignId, student_id: ids.StudentId) -> domain.Charge | None:
        row = await self._one(
            sa.select(CHARGES).where(CHARGES.c.campaign_id == campaign_id, CHARGES.c.student_id == student_id)
        )
        return domain.Charge(**{name: getattr(row, name) for name in _CHARGE}, payer=_payer(row)) if row else None

    async def save(self, charge: domain.Charge) -> None:
        values = _flat(charge, *_CHARGE)
        insert = postgresql.insert(CHARGES).values(values)
        await self._tx.execute(insert.on_conflict_do_update(index_elements=["charge_id"], set_=values))

    async def uncovered(self, campaign_id: ids.CampaignId, payer: Payer, limit: int) -> list[ids.StudentId]:
        covered = sa.exists().where(
            _pays(VOUCHERS, campaign_id, payer),
            VOUCHERS.c.state == "redeemed",
            VOUCHERS.c.student_id == CHARGES.c.student_id,
        )
        query = sa.select(CHARGES.c.student_id).where(_pays(CHARGES, campaign_id, payer), CHARGES.c.active, ~covered)
        return [row.student_id for row in await self._all(query.order_by(CHARGES.c.charge_id).limit(limit))]

    async def by_class(self, campaign_id: ids.CampaignId, payer: Payer) -> list[domain.ClassHeads]:
        columns = (CHARGES.c.class_id, sa.func.count().label("heads"), sa.func.sum(CHARGES.c.amount_fen).label("fen"))
        ours = sa.select(*columns).where(_pays(CHARGES, campaign_id, payer), CHARGES.c.active)
        query = ours.group_by(CHARGES.c.class_id).order_by(CHARGES.c.class_id)
        return [domain.ClassHeads(row.class_id, row.heads, int(row.fen)) for row in await self._all(query)]


_ACCOUNT = (
    "campaign_id",
    "photographed_heads",
    "owed_fen",
    "paid_heads",
    "paid_fen",
    "covered_fen",
    "forfeited_heads",
    "forfeited_fen",
    "settled",
    "finds",
)


def _account_values(account: domain.Account) -> dict[str, Any]:
    photographed, paid = account.found or (None, None)
    return _flat(account, *_ACCOUNT) | {"found_photographed": photographed, "found_paid": paid}


def _account(row: Any) -> domain.Account:
    found = None if row.found_photographed is None else (row.found_photographed, row.found_paid)
    return domain.Account(**{name: getattr(row, name) for name in _ACCOUNT}, payer=_payer(row), found=found)


class Accounts(_Table):
    async def lock(self, campaign_id: ids.CampaignId, payer: Payer) -> domain.Account:
        query = sa.select(ACCOUNTS).where(_pays(ACCOUNTS, campaign_id, payer)).with_for_update()
        row = await self._one(query)
        if row is None:
            fresh = _account_values(domain.Account(campaign_id, payer))
            await self._tx.execute(postgresql.insert(ACCOUNTS).values(fresh).on_conflict_do_nothing())
            row = await self._one(query)
        return _account(row)

    async def save(self, account: domain.Account) -> None:
        update = ACCOUNTS.update().where(_pays(ACCOUNTS, account.campaign_id, account.payer))
        await self._tx.execute(update.values(_account_values(account)))

    async def of(self, campaign_id: ids.CampaignId) -> list[domain.Account]:
        query = sa.select(ACCOUNTS).where(ACCOUNTS.c.campaign_id == campaign_id)
        return [_account(row) for row in await self._all(query.order_by(ACCOUNTS.c.payer_kind, ACCOUNTS.c.payer_ref))]


class Ledger(_Table):
    async def add(self, campaign_id: ids.CampaignId, postings: Sequence[domain.Posting]) -> None:
        for posting in postings:
            transaction = TRANSACTIONS.insert().values(
                campaign_id=campaign_id, kind=posting.kind, cause_id=posting.cause_id, recorded_at=self._now
            )
            seq = (await self._tx.execute(transaction.returning(TRANSACTIONS.c.seq))).scalar_one()
            entries = [
                {"seq": seq, "line": line, "account": entry.account, "amount_fen": entry.amount_fen}
                for line, entry in enumerate(posting.entries, start=1)
            ]
            await self._tx.execute(ENTRIES.insert(), entries)

    async def page(self, campaign_id: ids.CampaignId, after: int, limit: int) -> list[dict[str, Any]]:
        ours = sa.and_(TRANSACTIONS.c.campaign_id == campaign_id, TRANSACTIONS.c.seq > after)
        page = sa.select(TRANSACTIONS).where(ours).order_by(TRANSACTIONS.c.seq).limit(limit).subquery()
        query = sa.select(page, ENTRIES.c.line, ENTRIES.c.account, ENTRIES.c.amount_fen)
        joined = query.join(ENTRIES, ENTRIES.c.seq == page.c.seq).order_by(page.c.seq, ENTRIES.c.line)
        transactions: dict[int, dict[str, Any]] = {}
        for row in await self._all(joined):
            head = {name: getattr(row, name) for name in ("seq", "kind", "cause_id", "recorded_at")}
            lines = transactions.setdefault(row.seq, head | {"entries": []})["entries"]
            lines.append({"account": row.account, "amount_fen": row.amount_fen})
        return list(transactions.values())

    async def balance_fen(self, campaign_id: ids.CampaignId) -> int:
        return sum((await self.by_account(campaign_id)).values())

    async def by_account(self, campaign_id: ids.CampaignId) -> dict[str, int]:
        query = (
            sa.select(ENTRIES.c.account, sa.func.sum(ENTRIES.c.amount_fen).label("fen"))
            .join(TRANSACTIONS, TRANSACTIONS.c.seq == ENTRIES.c.seq)
            .where(TRANSACTIONS.c.campaign_id == campaign_id)
            .group_by(ENTRIES.c.account)
            .order_by(ENTRIES.c.account)
        )
        return {row.account: int(row.fen) for row in await self._all(query)}


_PAYMENT = ("payment_id", "campaign_id", "method", "heads", "amount_fen")


def _payment(row: Any) -> domain.Payment:
    return domain.Payment(**{name: getattr(row, name) for name in _PAYMENT}, payer=_payer(row))


class Payments(_Table):
    async def add(self, payment: domain.Payment) -> bool:
        insert = postgresql.insert(PAYMENTS).values(**_flat(payment, *_PAYMENT), recorded_at=self._now)
        return bool((await self._tx.execute(insert.on_conflict_do_nothing())).rowcount)

    async def get(self, payment_id: ids.PaymentId) -> domain.Payment | None:
        row = await self._one(sa.select(PAYMENTS).where(PAYMENTS.c.payment_id == payment_id))
        return _payment(row) if row else None

    async def without_receipt(self, campaign_id: ids.CampaignId) -> list[domain.Payment]:
        query = sa.select(PAYMENTS).where(PAYMENTS.c.campaign_id == campaign_id, PAYMENTS.c.receipt_id.is_(None))
        return [_payment(row) for row in await self._all(query.order_by(PAYMENTS.c.recorded_at, PAYMENTS.c.payment_id))]


_VOUCHER = ("voucher_id", "version", "campaign_id", "payment_id", "number", "amount_fen", "state", "student_id")


def _voucher(row: Any) -> domain.Voucher:
    return domain.Voucher(**{name: getattr(row, name) for name in _VOUCHER}, payer=_payer(row))


class Vouchers(_Table):
    async def get(self, voucher_id: ids.VoucherId) -> domain.Voucher | None:
        row = await self._one(sa.select(VOUCHERS).where(VOUCHERS.c.voucher_id == voucher_id))
        return _voucher(row) if row else None

    async def add(self, vouchers: Sequence[domain.Voucher]) -> None:
        if vouchers:
            await self._tx.execute(VOUCHERS.insert(), [_flat(voucher, *_VOUCHER) for voucher in vouchers])

    async def save(self, vouchers: Sequence[domain.Voucher]) -> None:
        # Those set free go first: one student never holds two, not even between two statements.
        for voucher in sorted(vouchers, key=lambda voucher: voucher.state == "redeemed"):
            changed = {"state": voucher.state, "student_id": voucher.student_id, "version": voucher.version}
            mine = VOUCHERS.c.voucher_id == voucher.voucher_id
            await self._tx.execute(VOUCHERS.update().where(mine).values(changed))

    async def of_payment(self, payment_id: ids.PaymentId) -> list[domain.Voucher]:
        query = sa.select(VOUCHERS).where(VOUCHERS.c.payment_id == payment_id).order_by(VOUCHERS.c.number)
        return [_voucher(row) for row in await self._all(query)]

    async def stale(self, campaign_id: ids.CampaignId, payer: Payer) -> list[domain.Voucher]:
        held = sa.exists().where(
            _pays(CHARGES, campaign_id, payer), CHARGES.c.active, CHARGES.c.student_id == VOUCHERS.c.student_id
        )
        query = sa.select(VOUCHERS).where(_pays(VOUCHERS, campaign_id, payer), VOUCHERS.c.state == "redeemed", ~held)
        return [_voucher(row) for row in await self._all(query.order_by(VOUCHERS.c.number))]

    async def outstanding(self, campaign_id: ids.CampaignId, payer: Payer, limit: int) -> list[domain.Voucher]:
        query = sa.select(VOUCHERS).where(_pays(VOUCHERS, campaign_id, payer), VOUCHERS.c.state == "outstanding")
        return [_voucher(row) for row in await self._all(query.order_by(VOUCHERS.c.number).limit(limit))]

    async def counts(self, campaign_id: ids.CampaignId) -> dict[tuple[Payer, domain.VoucherState], int]:
        groups = (VOUCHERS.c.payer_kind, VOUCHERS.c.payer_ref, VOUCHERS.c.state)
        query = sa.select(*groups, sa.func.count().label("vouchers")).where(VOUCHERS.c.campaign_id == campaign_id)
        return {(_payer(row), row.state): row.vouchers for row in await self._all(query.group_by(*groups))}


_REFUND = ("refund_id", "campaign_id", "heads", "amount_fen")


class Refunds(_Table):
    async def add(self, refund: domain.Refund) -> bool:
        insert = postgresql.insert(REFUNDS).values(**_flat(refund, *_REFUND), recorded_at=self._now)
        return bool((await self._tx.execute(insert.on_conflict_do_nothing())).rowcount)

    async def get(self, refund_id: ids.RefundId) -> domain.Refund | None:
        row = await self._one(sa.select(REFUNDS).where(REFUNDS.c.refund_id == refund_id))
        return domain.Refund(**{name: getattr(row, name) for name in _REFUND}, payer=_payer(row)) if row else None


class Receipts(_Table):
    async def add(self, receipt: domain.Receipt) -> None:
        values = {name: getattr(receipt, name) for name in ("receipt_id", "campaign_id", "number", "amount_fen")}
        await self._tx.execute(RECEIPTS.insert().values(**values, written_at=self._now))
        on_it = PAYMENTS.c.payment_id.in_(receipt.payment_ids)
        await self._tx.execute(PAYMENTS.update().where(on_it).values(receipt_id=receipt.receipt_id))

    async def covering(self, payment_ids: Iterable[ids.PaymentId]) -> list[domain.Receipt]:
        touched = sa.select(PAYMENTS.c.receipt_id).where(PAYMENTS.c.payment_id.in_(list(payment_ids)))
        rows = await self._all(sa.select(RECEIPTS).where(RECEIPTS.c.receipt_id.in_(touched)))
        found = []
        for row in rows:
            listed = await self._all(sa.select(PAYMENTS.c.payment_id).where(PAYMENTS.c.receipt_id == row.receipt_id))
            payments = tuple(payment.payment_id for payment in listed)
            found.append(domain.Receipt(row.receipt_id, row.campaign_id, row.number, payments, row.amount_fen))
        return found


_SETTLEMENT = ("class_id", "campaign_id", "version", "heads", "amount_fen", "standing")


class Settlements(_Table):
    async def of(self, class_ids: Iterable[ids.ClassId]) -> dict[ids.ClassId, domain.Settlement]:
        rows = await self._all(sa.select(SETTLEMENTS).where(SETTLEMENTS.c.class_id.in_(list(class_ids))))
        return {row.class_id: domain.Settlement(**{name: getattr(row, name) for name in _SETTLEMENT}) for row in rows}

    async def save(self, settlement: domain.Settlement, payer: Payer) -> None:
        values = {name: getattr(settlement, name) for name in _SETTLEMENT}
        values |= {"payer_kind": payer.kind, "payer_ref": payer.ref}
        insert = postgresql.insert(SETTLEMENTS).values(values)
        await self._tx.execute(insert.on_conflict_do_update(index_elements=["class_id"], set_=values))

    async def reopen(self, campaign_id: ids.CampaignId, payer: Payer, keep: Sequence[ids.ClassId]) -> None:
        theirs = sa.and_(_pays(SETTLEMENTS, campaign_id, payer), SETTLEMENTS.c.class_id.not_in(list(keep)))
        await self._tx.execute(SETTLEMENTS.update().where(theirs).values(standing=False))


class Numbers(_Table):
    async def take(self, campaign_id: ids.CampaignId, kind: str, count: int) -> range:
        insert = postgresql.insert(NUMBERS).values(campaign_id=campaign_id, kind=kind, last=count)
        counted = insert.on_conflict_do_update(
            index_elements=["campaign_id", "kind"], set_={"last": NUMBERS.c.last + count}
        )
        last: int = (await self._tx.execute(counted.returning(NUMBERS.c.last))).scalar_one()
        return range(last - count + 1, last + 1)
