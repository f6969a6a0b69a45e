"""Plans, the floor in force, delays, the missed, and the copies of what others said."""

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
        "campaigns",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("campuses", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fee_mode", sa.Text(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaigns")),
        schema="scheduler",
    )
    op.create_table(
        "checkins",
        sa.Column("checkin_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("checkin_id", name=op.f("pk_checkins")),
        schema="scheduler",
    )
    op.create_index("ix_checkins_class_id", "checkins", ["class_id"], unique=False, schema="scheduler")
    op.create_index("ix_checkins_student_id", "checkins", ["student_id"], unique=False, schema="scheduler")
    op.create_table(
        "classes",
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("college_zh", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("headcount", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("class_id", name=op.f("pk_classes")),
        schema="scheduler",
    )
    op.create_index("ix_classes_campaign_id", "classes", ["campaign_id"], unique=False, schema="scheduler")
    op.create_table(
        "delays",
        sa.Column("delay_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("delay_id", name=op.f("pk_delays")),
        schema="scheduler",
    )
    op.create_table(
        "groups",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("site_zh", sa.Text(), nullable=False),
        sa.Column("room_zh", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", name=op.f("pk_groups")),
        sa.UniqueConstraint("campaign_id", "code", name=op.f("uq_groups_campaign_id_code")),
        schema="scheduler",
    )
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column(
            "received_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_inbox")),
        schema="scheduler",
    )
    op.create_table(
        "missed",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("checked_in", sa.Boolean(), nullable=False),
        sa.Column("missed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_missed")),
        schema="scheduler",
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
        schema="scheduler",
        postgresql_with={"autovacuum_vacuum_scale_factor": "0", "autovacuum_vacuum_threshold": "5000"},
    )
    op.create_index(
        "ix_outbox_unsent",
        "outbox",
        ["seq"],
        unique=False,
        schema="scheduler",
        postgresql_where=sa.text("sent_at is null"),
    )
    op.create_table(
        "payments",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("payment_id", name=op.f("pk_payments")),
        schema="scheduler",
    )
    op.create_table(
        "photos",
        sa.Column("capture_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("in_force", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("capture_id", name=op.f("pk_photos")),
        schema="scheduler",
    )
    op.create_index("ix_photos_class_id", "photos", ["class_id"], unique=False, schema="scheduler")
    op.create_index("ix_photos_student_id", "photos", ["student_id"], unique=False, schema="scheduler")
    op.create_table(
        "plans",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("layout", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('draft', 'published', 'superseded')", name=op.f("ck_plans_state")),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plans")),
        sa.UniqueConstraint("campaign_id", "revision", name=op.f("uq_plans_campaign_id_revision")),
        schema="scheduler",
    )
    op.create_index(
        "uq_plans_published",
        "plans",
        ["campaign_id"],
        unique=True,
        schema="scheduler",
        postgresql_where=sa.text("state = 'published'"),
    )
    op.create_table(
        "students",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("eligible", sa.Boolean(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_students")),
        schema="scheduler",
    )
    op.create_index("ix_students_class_id", "students", ["class_id"], unique=False, schema="scheduler")
    op.create_table(
        "desks",
        sa.Column("desk_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("planned_per_hour", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["scheduler.groups.group_id"], name=op.f("fk_desks_group_id")),
        sa.PrimaryKeyConstraint("desk_id", name=op.f("pk_desks")),
        sa.UniqueConstraint("campaign_id", "code", name=op.f("uq_desks_campaign_id_code")),
        schema="scheduler",
    )
    op.create_table(
        "slots",
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=True),
        sa.Column("label_zh", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("order_code", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("priority", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_slots_span")),
        sa.ForeignKeyConstraint(["group_id"], ["scheduler.groups.group_id"], name=op.f("fk_slots_group_id")),
        sa.PrimaryKeyConstraint("slot_id", name=op.f("pk_slots")),
        sa.UniqueConstraint(
            "campaign_id",
            "order_code",
            deferrable=True,
            initially="DEFERRED",
            name=op.f("uq_slots_campaign_id_order_code"),
        ),
        sa.UniqueConstraint("class_id", deferrable=True, initially="DEFERRED", name=op.f("uq_slots_class_id")),
        schema="scheduler",
    )
    # No two slots of a group overlap, whatever two planners do at once. Checked at commit: a revision may swap hours.
    op.execute("create extension if not exists btree_gist")
    op.execute("""
        alter table scheduler.slots add constraint ex_slots_overlap
        exclude using gist (group_id with =, tstzrange(starts_at, ends_at) with &&) deferrable initially deferred
    """)
