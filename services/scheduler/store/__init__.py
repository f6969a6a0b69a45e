"""Scheduler's tables: copies of what others said, plans by revision, and the floor as it is now."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from kit import db, inbox, outbox

METADATA = db.metadata_for("scheduler")


def _id(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column[UUID]:
    return sa.Column(name, sa.Uuid, primary_key=key, nullable=nullable)


def _version() -> sa.Column[int]:
    return sa.Column("version", sa.Integer, nullable=False)


# Copies, fed by events. They may come in any order, so nothing here refers to another copy.

CAMPAIGNS = sa.Table(
    "campaigns",
    METADATA,
    _id("campaign_id", key=True),
    sa.Column("title_zh", sa.Text, nullable=False),
    sa.Column("campuses", postgresql.JSONB, nullable=False),
    sa.Column("fee_mode", sa.Text, nullable=False),
    sa.Column("closed", sa.Boolean, nullable=False),
    _version(),
)

CLASSES = sa.Table(
    "classes",
    METADATA,
    _id("class_id", key=True),
    _id("campaign_id"),
    _id("campus_id"),
    sa.Column("college_zh", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("headcount", sa.Integer, nullable=False),
    _version(),
    sa.Index("ix_classes_campaign_id", "campaign_id"),
)

STUDENTS = sa.Table(
    "students",
    METADATA,
    _id("student_id", key=True),
    _id("campaign_id"),
    _id("class_id"),
    sa.Column("eligible", sa.Boolean, nullable=False),
    sa.Column("withdrawn", sa.Boolean, nullable=False),
    _version(),
    sa.Index("ix_students_class_id", "class_id"),
)

CHECKINS = sa.Table(
    "checkins",
    METADATA,
    _id("checkin_id", key=True),
    _id("student_id"),
    _id("class_id"),
    _version(),
    sa.Index("ix_checkins_student_id", "student_id"),
    sa.Index("ix_checkins_class_id", "class_id"),
)

PHOTOS = sa.Table(
    "photos",
    METADATA,
    _id("capture_id", key=True),
    _id("student_id"),
    _id("class_id"),
    sa.Column("in_force", sa.Boolean, nullable=False),
    _version(),
    sa.Index("ix_photos_student_id", "student_id"),
    sa.Index("ix_photos_class_id", "class_id"),
)

PAYMENTS = sa.Table(
    "payments",
    METADATA,
    _id("payment_id", key=True),
    _id("campaign_id"),
    _id("class_id"),
)

# Our own.

PLANS = sa.Table(
    "plans",
    METADATA,
    _id("plan_id", key=True),
    _id("campaign_id"),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("wanted", postgresql.JSONB, nullable=False),
    sa.Column("layout", postgresql.JSONB, nullable=False),
    sa.Column("findings", postgresql.JSONB, nullable=False),
    sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
    sa.UniqueConstraint("campaign_id", "revision"),
    sa.CheckConstraint("state in ('draft', 'published', 'superseded')", name="state"),
    sa.Index("uq_plans_published", "campaign_id", unique=True, postgresql_where=sa.text("state = 'published'")),
)

GROUPS = sa.Table(
    "groups",
    METADATA,
    _id("group_id", key=True),
    _id("campaign_id"),
    sa.Column("code", sa.Text, nullable=False),
    _id("campus_id"),
    sa.Column("site_zh", sa.Text, nullable=False),
    sa.Column("room_zh", sa.Text, nullable=False),
    _version(),
    sa.UniqueConstraint("campaign_id", "code"),
)

DESKS = sa.Table(
    "desks",
    METADATA,
    _id("desk_id", key=True),
    _id("campaign_id"),
    sa.Column("group_id", sa.ForeignKey("scheduler.groups.group_id"), nullable=False),
    _id("campus_id"),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("planned_per_hour", sa.Integer, nullable=False),
    sa.UniqueConstraint("campaign_id", "code"),
)

#: Checked at commit: a new revision may swap codes and hours.
SLOTS = sa.Table(
    "slots",
    METADATA,
    _id("slot_id", key=True),
    _id("campaign_id"),
    _id("class_id", nullable=True),
    sa.Column("label_zh", sa.Text, nullable=False),
    sa.Column("group_id", sa.ForeignKey("scheduler.groups.group_id"), nullable=False),
    _id("campus_id"),
    sa.Column("order_code", sa.Text),
    sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("priority", sa.Boolean, nullable=False),
    _version(),
    sa.UniqueConstraint("class_id", deferrable=True, initially="DEFERRED"),
    sa.UniqueConstraint("campaign_id", "order_code", deferrable=True, initially="DEFERRED"),
    sa.CheckConstraint("starts_at < ends_at", name="span"),
)

DELAYS = sa.Table(
    "delays",
    METADATA,
    _id("delay_id", key=True),
    _id("group_id"),
    _id("campaign_id"),
    sa.Column("minutes", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
)

MISSED = sa.Table(
    "missed",
    METADATA,
    _id("student_id", key=True),
    _id("campaign_id"),
    _id("class_id"),
    sa.Column("checked_in", sa.Boolean, nullable=False),
    sa.Column("missed_at", sa.DateTime(timezone=True), nullable=False),
)

OUTBOX = outbox.table(METADATA)
INBOX = inbox.table(METADATA)
