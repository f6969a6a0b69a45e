"""The copies, charges, accounts, ledger and papers of billing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kit import db

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("payer_kind", sa.Text(), nullable=False),
        sa.Column("payer_ref", sa.Text(), nullable=False),
        sa.Column("photographed_heads", sa.Integer(), nullable=False),
        sa.Column("owed_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_heads", sa.Integer(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("covered_fen", sa.BigInteger(), nullable=False),
        sa.Column("forfeited_heads", sa.Integer(), nullable=False),
        sa.Column("forfeited_fen", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("found_photographed", sa.Integer(), nullable=True),
        sa.Column("found_paid", sa.Integer(), nullable=True),
        sa.Column("finds", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "photographed_heads >= 0 and owed_fen >= 0 and paid_heads >= 0 and paid_fen >= 0",
            name=op.f("ck_accounts_never_negative"),
        ),
        sa.PrimaryKeyConstraint("campaign_id", "payer_kind", "payer_ref", name=op.f("pk_accounts")),
        schema="billing",
    )
    op.create_table(
        "campaigns",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("school_code", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaigns")),
        schema="billing",
    )
    op.create_table(
        "charges",
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("payer_kind", sa.Text(), nullable=False),
        sa.Column("payer_ref", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_charges_amount")),
        sa.PrimaryKeyConstraint("charge_id", name=op.f("pk_charges")),
        sa.UniqueConstraint("campaign_id", "student_id", name=op.f("uq_charges_campaign_id_student_id")),
        schema="billing",
    )
    op.create_index(
        "ix_charges_payer", "charges", ["campaign_id", "payer_kind", "payer_ref"], unique=False, schema="billing"
    )
    op.create_table(
        "classes",
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("college_zh", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("class_id", name=op.f("pk_classes")),
        schema="billing",
    )
    op.create_index("ix_classes_campaign_id", "classes", ["campaign_id", "college_zh"], unique=False, schema="billing")
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column(
            "received_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_inbox")),
        schema="billing",
    )
    op.create_table(
        "numbers",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "kind", name=op.f("pk_numbers")),
        schema="billing",
    )
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("xid", db.Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("envelope", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
        schema="billing",
        postgresql_with={"autovacuum_vacuum_scale_factor": "0", "autovacuum_vacuum_threshold": "5000"},
    )
    op.create_index(
        "ix_outbox_unsent",
        "outbox",
        ["seq"],
        unique=False,
        schema="billing",
        postgresql_where=sa.text("sent_at is null"),
    )
    op.create_table(
        "payments",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("payer_kind", sa.Text(), nullable=False),
        sa.Column("payer_ref", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("receipt_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("heads > 0 and amount_fen >= 0", name=op.f("ck_payments_something")),
        sa.PrimaryKeyConstraint("payment_id", name=op.f("pk_payments")),
        schema="billing",
    )
    op.create_index("ix_payments_campaign_id", "payments", ["campaign_id"], unique=False, schema="billing")
    op.create_table(
        "photos",
        sa.Column("capture_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("in_force", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("capture_id", name=op.f("pk_photos")),
        schema="billing",
    )
    op.create_index("ix_photos_student_id", "photos", ["student_id"], unique=False, schema="billing")
    op.create_table(
        "receipts",
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("campaign_id", "number", name=op.f("uq_receipts_campaign_id_number")),
        schema="billing",
    )
    op.create_table(
        "refunds",
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("payer_kind", sa.Text(), nullable=False),
        sa.Column("payer_ref", sa.Text(), nullable=False),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("refund_id", name=op.f("pk_refunds")),
        schema="billing",
    )
    op.create_table(
        "settlements",
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("payer_kind", sa.Text(), nullable=False),
        sa.Column("payer_ref", sa.Text(), nullable=False),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("standing", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("class_id", name=op.f("pk_settlements")),
        schema="billing",
    )
    op.create_index(
        "ix_settlements_payer",
        "settlements",
        ["campaign_id", "payer_kind", "payer_ref"],
        unique=False,
        schema="billing",
    )
    op.create_table(
        "students",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_students")),
        schema="billing",
    )
    op.create_index("ix_students_campaign_id", "students", ["campaign_id", "class_id"], unique=False, schema="billing")
    op.create_table(
        "transactions",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_transactions")),
        schema="billing",
    )
    op.create_index(
        "ix_transactions_campaign_id", "transactions", ["campaign_id", "seq"], unique=False, schema="billing"
    )
    op.create_table(
        "entries",
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["billing.transactions.seq"], name=op.f("fk_entries_seq")),
        sa.PrimaryKeyConstraint("seq", "line", name=op.f("pk_entries")),
        schema="billing",
    )
    op.create_table(
        "vouchers",
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("payer_kind", sa.Text(), nullable=False),
        sa.Column("payer_ref", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(state = 'redeemed') = (student_id is not null)", name=op.f("ck_vouchers_redeemed_by_somebody")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["billing.payments.payment_id"], name=op.f("fk_vouchers_payment_id")),
        sa.PrimaryKeyConstraint("voucher_id", name=op.f("pk_vouchers")),
        sa.UniqueConstraint("campaign_id", "number", name=op.f("uq_vouchers_campaign_id_number")),
        schema="billing",
    )
    op.create_index(
        "ix_vouchers_payer",
        "vouchers",
        ["campaign_id", "payer_kind", "payer_ref", "state", "number"],
        unique=False,
        schema="billing",
    )
    op.create_index("ix_vouchers_payment_id", "vouchers", ["payment_id"], unique=False, schema="billing")
    op.create_index(
        "uq_vouchers_redeemed",
        "vouchers",
        ["campaign_id", "student_id"],
        unique=True,
        schema="billing",
        postgresql_where=sa.text("state = 'redeemed'"),
    )

    for statement in GUARDS:
        op.execute(statement)


#: What the ledger promises, whatever the code does: a transaction's entries sum to zero, and none is ever changed.
GUARDS = (
    """
    create function billing.refuse_unbalanced() returns trigger language plpgsql as $$
    begin
        if (select coalesce(sum(amount_fen), 0) from billing.entries where seq = new.seq) <> 0 then
            raise exception 'ledger transaction % does not balance', new.seq using errcode = 'check_violation';
        end if;
        return null;
    end $$
    """,
    """
    create constraint trigger entries_balance after insert on billing.entries
    deferrable initially deferred for each row execute function billing.refuse_unbalanced()
    """,
    """
    create function billing.refuse_change() returns trigger language plpgsql as $$
    begin
        raise exception 'the ledger is append-only: write a posting that reverses' using errcode = 'check_violation';
    end $$
    """,
    """
    create trigger entries_append_only before update or delete or truncate on billing.entries
    for each statement execute function billing.refuse_change()
    """,
    """
    create trigger transactions_append_only before update or delete or truncate on billing.transactions
    for each statement execute function billing.refuse_change()
    """,
)
