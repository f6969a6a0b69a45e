"""Roster's tables. What is personal is in `vault` (and, until an upload is applied, in `staged`), encrypted."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from kit import db, inbox, outbox, words

METADATA = db.metadata_for("roster")


def _version() -> sa.Column[int]:
    return sa.Column("version", sa.Integer, nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


CAMPAIGNS = sa.Table(
    "campaigns",
    METADATA,
    sa.Column("campaign_id", sa.Uuid, primary_key=True),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("title_zh", sa.Text, nullable=False),
    sa.Column("school_code", sa.Text, nullable=False),
    sa.Column("graduation_year", sa.Integer, nullable=False),
    sa.Column("policy", postgresql.JSONB, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    _version(),
    sa.Column("roster_revision", sa.Integer, nullable=False),
    sa.CheckConstraint("state in ('open', 'closed')", name="state"),
)

CAMPUSES = sa.Table(
    "campuses",
    METADATA,
    sa.Column("campus_id", sa.Uuid, primary_key=True),
    sa.Column("campaign_id", sa.ForeignKey("roster.campaigns.campaign_id"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name_zh", sa.Text, nullable=False),
    sa.UniqueConstraint("campaign_id", "code"),
)

#: `registered_in` and `changed_in` name the change (an import, a walk-in …) that made and last touched a row.
CLASSES = sa.Table(
    "classes",
    METADATA,
    sa.Column("class_id", sa.Uuid, primary_key=True),
    sa.Column("campaign_id", sa.ForeignKey("roster.campaigns.campaign_id"), nullable=False),
    sa.Column("campus_id", sa.ForeignKey("roster.campuses.campus_id"), nullable=False),
    sa.Column("college_zh", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("headcount", sa.Integer, nullable=False),
    _version(),
    sa.Column("registered_in", sa.Uuid, nullable=False),
    sa.Column("changed_in", sa.Uuid, nullable=False),
    sa.UniqueConstraint("campaign_id", "college_zh", "label"),
)

STUDENTS = sa.Table(
    "students",
    METADATA,
    sa.Column("student_id", sa.Uuid, primary_key=True),
    sa.Column("campaign_id", sa.ForeignKey("roster.campaigns.campaign_id"), nullable=False),
    sa.Column("class_id", sa.ForeignKey("roster.classes.class_id"), nullable=False),
    sa.Column("student_no", sa.Text, nullable=False),
    sa.Column("cohort", sa.Text, nullable=False),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("eligible", sa.Boolean, nullable=False),
    sa.Column("withdrawn", sa.Boolean, nullable=False),
    sa.Column("withdrawn_for_sealed", sa.LargeBinary),
    sa.Column("ordinal", sa.Integer, nullable=False),
    _version(),
    sa.Column("enrolled_in", sa.Uuid, nullable=False),
    sa.Column("changed_in", sa.Uuid, nullable=False),
    sa.UniqueConstraint("campaign_id", "student_no"),
    sa.CheckConstraint(words.looks_sealed("withdrawn_for_sealed"), name="withdrawn_for_is_sealed"),
    sa.Index("ix_students_class_id", "class_id"),
)

VAULT = sa.Table(
    "vault",
    METADATA,
    sa.Column("student_id", sa.ForeignKey("roster.students.student_id"), primary_key=True),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    sa.Column("document_type", sa.Text, nullable=False),
    sa.Column("sex", sa.Text, nullable=False),
    sa.Column("name_sealed", sa.LargeBinary, nullable=False),
    sa.Column("document_sealed", sa.LargeBinary, nullable=False),
    sa.Column("phone_sealed", sa.LargeBinary),
    sa.Column("document_index", sa.LargeBinary, nullable=False),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("in_force", sa.Boolean, nullable=False),
    sa.Index("uq_vault_document", "campaign_id", "document_index", unique=True, postgresql_where=sa.text("in_force")),
)

CODES = sa.Table(
    "codes",
    METADATA,
    sa.Column("student_id", sa.ForeignKey("roster.students.student_id"), primary_key=True),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("registered_in", sa.Uuid, nullable=False),
    sa.UniqueConstraint("campaign_id", "digest"),
)

IMPORTS = sa.Table(
    "imports",
    METADATA,
    sa.Column("import_id", sa.Uuid, primary_key=True),
    sa.Column("campaign_id", sa.ForeignKey("roster.campaigns.campaign_id"), nullable=False),
    sa.Column("file_sha256", sa.Text, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("new", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("unchanged", sa.Integer, nullable=False),
    sa.Column("absent", sa.Integer, nullable=False),
    sa.Column("errors", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("base_revision", sa.Integer, nullable=False),
    sa.Column("classes", postgresql.JSONB, nullable=False),
    sa.Column("uploaded_by", sa.Text, nullable=False),
    _at("uploaded_at"),
    _at("applied_at", nullable=True),
    sa.CheckConstraint("state in ('ready', 'refused', 'applied', 'dropped')", name="state"),
    sa.CheckConstraint("(state = 'applied') = (applied_at is not null)", name="applied"),
)

#: The columns are those of `ports.Sealed`, in its order, after the change they wait for.
STAGED = sa.Table(
    "staged",
    METADATA,
    sa.Column("change_id", sa.Uuid, primary_key=True),
    sa.Column("student_id", sa.Uuid, primary_key=True),
    sa.Column("class_id", sa.Uuid, nullable=False),
    sa.Column("known", sa.Boolean, nullable=False),
    sa.Column("student_no", sa.Text, nullable=False),
    sa.Column("cohort", sa.Text, nullable=False),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("eligible", sa.Boolean, nullable=False),
    sa.Column("document_type", sa.Text, nullable=False),
    sa.Column("sex", sa.Text, nullable=False),
    sa.Column("name_sealed", sa.LargeBinary, nullable=False),
    sa.Column("document_sealed", sa.LargeBinary, nullable=False),
    sa.Column("phone_sealed", sa.LargeBinary),
    sa.Column("document_index", sa.LargeBinary, nullable=False),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("mode", sa.Text),
    sa.Column("digest", sa.Text),
)

PHOTOS = sa.Table(
    "photos",
    METADATA,
    sa.Column("capture_id", sa.Uuid, primary_key=True),
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("in_force", sa.Boolean, nullable=False),
    _version(),
    sa.Index("ix_photos_student_id", "student_id"),
)

#: Append-only: a trigger of the migration refuses update and delete.
REVEALS = sa.Table(
    "reveals",
    METADATA,
    sa.Column("reveal_id", sa.Uuid, primary_key=True),
    _at("at"),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    sa.Column("fields", postgresql.ARRAY(sa.Text), nullable=False),
    sa.Column("reason_sealed", sa.LargeBinary, nullable=False),
    sa.CheckConstraint(words.looks_sealed("reason_sealed"), name="reason_is_sealed"),
)

OUTBOX = outbox.table(METADATA)
INBOX = inbox.table(METADATA)
