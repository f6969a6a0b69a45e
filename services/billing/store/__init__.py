"""Billing's tables. What must never break is guarded by the migration's triggers."""

from typing import Any

import sqlalchemy as sa

from kit import db, inbox, outbox

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
