"""Verify's tables."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from kit import db, inbox, outbox, words

METADATA = db.metadata_for("verify")


def _at(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


CAMPAIGNS = sa.Table(
    "campaigns",
    METADATA,
    sa.Column("campaign_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    # None: only the closing of the campaign is known so far.
    sa.Column("chsi", postgresql.JSONB),
    sa.Column("makeup", postgresql.JSONB),
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
PHOTOS = sa.Table(
    "photos",
    METADATA,
    sa.Column("capture_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("class_id", sa.Uuid, nullable=False),
    sa.Column("in_force", sa.Boolean, nullable=False),
    sa.Column("photo_key", sa.Text, nullable=False),
    sa.Column("photo_sha256", sa.Text, nullable=False),
    _at("shutter_at"),
    sa.Index("ix_photos_student_id", "student_id"),
    sa.Index("ix_photos_campaign_id", "campaign_id", postgresql_where=sa.text("in_force")),
)
CASES = sa.Table(
    "cases",
    METADATA,
    sa.Column("student_id", sa.Uuid, primary_key=True),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    sa.Column("class_id", sa.Uuid, nullable=False),
    sa.Column("student_version", sa.Integer, nullable=False),
    sa.Column("eligible", sa.Boolean, nullable=False),
    sa.Column("off_roster", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("capture_id", sa.Uuid),
    _at("shutter_at"),
    sa.Column("delivered_capture_id", sa.Uuid),
    _at("published_at"),
    _at("lost_at"),
    sa.Column("missed", sa.Boolean, nullable=False),
    sa.Column("answers", sa.Integer, nullable=False),
    sa.Column("cause", sa.Text),
    _at("disputed_at"),
    sa.Column("escalated", sa.Boolean, nullable=False),
    sa.Column("silent", sa.Boolean, nullable=False),
    sa.Column("overdue", sa.Boolean, nullable=False),
    _at("makeup_since"),
    sa.Column("place_zh", sa.Text),
    sa.Column("outcome", sa.Text),
    sa.Column("deadline", sa.Text),
    _at("due_at"),
    sa.Index("ix_cases_campaign_id", "campaign_id", "state", "student_id"),
    sa.Index("ix_cases_capture_id", "capture_id"),
    sa.Index("ix_cases_due_at", "due_at", postgresql_where=sa.text("due_at is not null")),
    sa.Index("ix_cases_lost_at", "lost_at", postgresql_where=sa.text("lost_at is not null and state = 'enrolled'")),
)
OUTCOMES = sa.Table(
    "outcomes",
    METADATA,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    sa.Column("deadline", sa.Text, nullable=False),
    _at("due_at", nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    _at("decided_at", nullable=False),
    sa.Index("ix_outcomes_campaign_id", "campaign_id", "deadline", "due_at"),
)
ANNOUNCEMENTS = sa.Table(
    "announcements",
    METADATA,
    sa.Column("campaign_id", sa.Uuid, primary_key=True),
    sa.Column("deadline", sa.Text, primary_key=True),
    sa.Column("due_at", sa.DateTime(timezone=True), primary_key=True),
)
BATCHES = sa.Table(
    "batches",
    METADATA,
    sa.Column("batch_id", sa.Uuid, primary_key=True),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("photos", sa.Integer, nullable=False),
    sa.Column("archive_key", sa.Text, nullable=False),
    sa.Column("archive_sha256", sa.Text, nullable=False),
    _at("begun_at", nullable=False),
    _at("delivered_at"),
    sa.UniqueConstraint("campaign_id", "number"),
    sa.CheckConstraint("(state = 'delivered') = (delivered_at is not null)", name="delivered"),
    # One delivery at a time: a second request joins the one under way.
    sa.Index("uq_batches_gathering", "campaign_id", unique=True, postgresql_where=sa.text("state = 'gathering'")),
)
BATCH_PHOTOS = sa.Table(
    "batch_photos",
    METADATA,
    # A photo is in at most one batch: whatever the code does, the database refuses a second.
    sa.Column("capture_id", sa.Uuid, primary_key=True),
    sa.Column("batch_id", sa.Uuid, sa.ForeignKey(BATCHES.c.batch_id), nullable=False),
    # CHSI's last word: shown, sent back, or nothing yet.
    sa.Column("shown", sa.Boolean),
    sa.Column("reason_sealed", sa.LargeBinary),
    sa.CheckConstraint(words.looks_sealed("reason_sealed"), name="reason_is_sealed"),
    sa.Index("ix_batch_photos_batch_id", "batch_id"),
)
RESULTS = sa.Table(
    "results",
    METADATA,
    sa.Column("campaign_id", sa.Uuid, primary_key=True),
    sa.Column("file_sha256", sa.Text, primary_key=True),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("published", sa.Integer, nullable=False),
    sa.Column("refused", sa.Integer, nullable=False),
    sa.Column("unchanged", sa.Integer, nullable=False),
    _at("taken_at", nullable=False),
)
VIEWS = sa.Table(
    "views",
    METADATA,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("batch_id", sa.Uuid, nullable=False),
    sa.Column("viewer", sa.Text, nullable=False),
    _at("viewed_at", nullable=False),
)
OUTBOX = outbox.table(METADATA)
INBOX = inbox.table(METADATA)
