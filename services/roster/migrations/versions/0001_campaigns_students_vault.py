"""Campaigns, classes, students, the vault, codes, imports, and the record of looks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kit import db

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _sealed(table: str, name: str) -> sa.CheckConstraint:
    """What stands in the column has the head of sealed words: no text does."""
    column = f"{name}_sealed"
    looks = f"{column} is null or (length({column}) >= 30 and get_byte({column}, 0) between 1 and 31)"
    return sa.CheckConstraint(looks, name=op.f(f"ck_{table}_{name}_is_sealed"))


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("school_code", sa.Text(), nullable=False),
        sa.Column("graduation_year", sa.Integer(), nullable=False),
        sa.Column("policy", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("roster_revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("state in ('open', 'closed')", name=op.f("ck_campaigns_state")),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("code", name=op.f("uq_campaigns_code")),
        schema="roster",
    )
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column(
            "received_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_inbox")),
        schema="roster",
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
        schema="roster",
        postgresql_with={"autovacuum_vacuum_scale_factor": "0", "autovacuum_vacuum_threshold": "5000"},
    )
    op.create_index(
        "ix_outbox_unsent",
        "outbox",
        ["seq"],
        unique=False,
        schema="roster",
        postgresql_where=sa.text("sent_at is null"),
    )
    op.create_table(
        "photos",
        sa.Column("capture_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("in_force", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("capture_id", name=op.f("pk_photos")),
        schema="roster",
    )
    op.create_index("ix_photos_student_id", "photos", ["student_id"], unique=False, schema="roster")
    op.create_table(
        "reveals",
        sa.Column("reveal_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("fields", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        _sealed("reveals", "reason"),
        sa.PrimaryKeyConstraint("reveal_id", name=op.f("pk_reveals")),
        schema="roster",
    )
    op.create_table(
        "staged",
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("student_no", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("eligible", sa.Boolean(), nullable=False),
        sa.Column("document_type", sa.Text(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("document_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("document_index", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("change_id", "student_id", name=op.f("pk_staged")),
        schema="roster",
    )
    op.create_table(
        "campuses",
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["roster.campaigns.campaign_id"], name=op.f("fk_campuses_campaign_id")
        ),
        sa.PrimaryKeyConstraint("campus_id", name=op.f("pk_campuses")),
        sa.UniqueConstraint("campaign_id", "code", name=op.f("uq_campuses_campaign_id_code")),
        schema="roster",
    )
    op.create_table(
        "imports",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("file_sha256", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("absent", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("base_revision", sa.Integer(), nullable=False),
        sa.Column("classes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'applied') = (applied_at is not null)", name=op.f("ck_imports_applied")),
        sa.CheckConstraint("state in ('ready', 'refused', 'applied', 'dropped')", name=op.f("ck_imports_state")),
        sa.ForeignKeyConstraint(["campaign_id"], ["roster.campaigns.campaign_id"], name=op.f("fk_imports_campaign_id")),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_imports")),
        schema="roster",
    )
    op.create_table(
        "classes",
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("college_zh", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("headcount", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("registered_in", sa.Uuid(), nullable=False),
        sa.Column("changed_in", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["roster.campaigns.campaign_id"], name=op.f("fk_classes_campaign_id")),
        sa.ForeignKeyConstraint(["campus_id"], ["roster.campuses.campus_id"], name=op.f("fk_classes_campus_id")),
        sa.PrimaryKeyConstraint("class_id", name=op.f("pk_classes")),
        sa.UniqueConstraint("campaign_id", "college_zh", "label", name=op.f("uq_classes_campaign_id_college_zh_label")),
        schema="roster",
    )
    op.create_table(
        "students",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("student_no", sa.Text(), nullable=False),
        sa.Column("cohort", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("eligible", sa.Boolean(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_for_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("enrolled_in", sa.Uuid(), nullable=False),
        sa.Column("changed_in", sa.Uuid(), nullable=False),
        _sealed("students", "withdrawn_for"),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["roster.campaigns.campaign_id"], name=op.f("fk_students_campaign_id")
        ),
        sa.ForeignKeyConstraint(["class_id"], ["roster.classes.class_id"], name=op.f("fk_students_class_id")),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_students")),
        sa.UniqueConstraint("campaign_id", "student_no", name=op.f("uq_students_campaign_id_student_no")),
        schema="roster",
    )
    op.create_index("ix_students_class_id", "students", ["class_id"], unique=False, schema="roster")
    op.create_table(
        "codes",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("registered_in", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["student_id"], ["roster.students.student_id"], name=op.f("fk_codes_student_id")),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_codes")),
        sa.UniqueConstraint("campaign_id", "digest", name=op.f("uq_codes_campaign_id_digest")),
        schema="roster",
    )
    op.create_table(
        "vault",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("document_type", sa.Text(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("document_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("document_index", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("in_force", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["student_id"], ["roster.students.student_id"], name=op.f("fk_vault_student_id")),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_vault")),
        schema="roster",
    )
    op.create_index(
        "uq_vault_document",
        "vault",
        ["campaign_id", "document_index"],
        unique=True,
        schema="roster",
        postgresql_where=sa.text("in_force"),
    )
    # A look at unmasked data stays on record: nobody, roster included, changes or removes it.
    op.execute("""
        create function roster.refuse_change() returns trigger language plpgsql as $$
        begin
            raise exception 'roster.% is append-only', tg_table_name using errcode = 'insufficient_privilege';
        end $$
    """)
    op.execute("""
        create trigger append_only before update or delete or truncate on roster.reveals
        for each statement execute function roster.refuse_change()
    """)
