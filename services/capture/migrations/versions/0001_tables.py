"""Capture's tables; history and views only grow."""

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
        "audits",
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("decode", sa.Boolean(), nullable=False),
        sa.Column("grace_s", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("checked", sa.BigInteger(), nullable=False),
        sa.Column("in_flight", sa.BigInteger(), nullable=False),
        sa.Column("known_unreadable", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("claims", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audits")),
        schema="capture",
    )
    op.create_index(
        "uq_audits_running",
        "audits",
        ["campaign_id"],
        unique=True,
        schema="capture",
        postgresql_where=sa.text("finished_at is null"),
    )
    op.create_index(
        "ix_audits_campaign_id_finished_at", "audits", ["campaign_id", "finished_at"], unique=False, schema="capture"
    )
    op.create_table(
        "audit_findings",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("capture_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_findings")),
        sa.UniqueConstraint("audit_id", "object_key", "kind", name=op.f("uq_audit_findings_audit_id_object_key_kind")),
        schema="capture",
    )
    op.create_table(
        "campaigns",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("identity_mode", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("retake_limit", sa.BigInteger(), nullable=False),
        sa.Column("face_consent", sa.Text(), nullable=False),
        sa.Column("double_rule", sa.Text(), nullable=False),
        sa.Column("desk_pack_hours", sa.BigInteger(), nullable=False),
        sa.Column("desk_pack_fresh_minutes", sa.BigInteger(), nullable=False),
        sa.Column("seat", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("upload_kbit_s", sa.BigInteger(), nullable=True),
        sa.Column("campuses", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaigns")),
        schema="capture",
    )
    op.create_table(
        "captures",
        sa.Column("capture_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("desk_id", sa.Uuid(), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("shot_student_id", sa.Uuid(), nullable=True),
        sa.Column("checkin_id", sa.Uuid(), nullable=True),
        sa.Column("ticket", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("shutter_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("camera_serial", sa.Text(), nullable=False),
        sa.Column("frame_counter", sa.BigInteger(), nullable=False),
        sa.Column("monotonic_ns", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("override_role", sa.Text(), nullable=True),
        sa.Column("override_mark", sa.Text(), nullable=True),
        sa.Column("desk_verdict", sa.Text(), nullable=True),
        sa.Column("desk_rules", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("clock_offset_s", sa.Double(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=True),
        sa.Column("class_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("rules", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("overridden", sa.Boolean(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=True),
        sa.Column("photo_key", sa.Text(), nullable=True),
        sa.Column("photo_sha256", sa.Text(), nullable=True),
        sa.Column("original_version", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state <> 'accepted' or (class_id is not null and photo_key is not null and photo_sha256 is not null)",
            name=op.f("ck_captures_accepted_is_whole"),
        ),
        sa.CheckConstraint("decision in ('keep','retake','override','unbound')", name=op.f("ck_captures_decision")),
        sa.CheckConstraint(
            "state in ('received','accepted','rejected','withdrawn','unbound')", name=op.f("ck_captures_state")
        ),
        sa.CheckConstraint(
            "(decision = 'override') = (override_role is not null and override_mark is not null)",
            name=op.f("ck_captures_override_by_whom"),
        ),
        sa.PrimaryKeyConstraint("capture_id", name=op.f("pk_captures")),
        schema="capture",
    )
    op.create_index(
        "ix_captures_campaign_id_capture_id", "captures", ["campaign_id", "capture_id"], unique=False, schema="capture"
    )
    op.create_index(
        "ix_captures_campaign_id_desk_id_state",
        "captures",
        ["campaign_id", "desk_id", "state"],
        unique=False,
        schema="capture",
    )
    op.create_index(
        "ix_captures_counted",
        "captures",
        ["station_id", "camera_serial", "frame_counter"],
        unique=False,
        schema="capture",
    )
    op.create_index("ix_captures_checkin_id", "captures", ["checkin_id"], unique=False, schema="capture")
    op.create_index(
        "ix_captures_lost",
        "captures",
        ["campaign_id"],
        unique=False,
        schema="capture",
        postgresql_where=sa.text("state = 'received' and lost_at is not null"),
    )
    op.create_index("ix_captures_shot_student_id", "captures", ["shot_student_id"], unique=False, schema="capture")
    op.create_index("ix_captures_student_id", "captures", ["student_id"], unique=False, schema="capture")
    op.create_index(
        "ix_captures_to_inspect",
        "captures",
        ["received_at"],
        unique=False,
        schema="capture",
        postgresql_where=sa.text("state = 'received' and class_id is not null"),
    )
    op.create_index(
        "ix_captures_waiting",
        "captures",
        ["student_id"],
        unique=False,
        schema="capture",
        postgresql_where=sa.text("state = 'received' and class_id is null"),
    )
    op.create_index(
        "uq_captures_in_force",
        "captures",
        ["campaign_id", "student_id"],
        unique=True,
        schema="capture",
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.create_table(
        "checkins",
        sa.Column("checkin_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=True),
        sa.Column("desk_id", sa.Uuid(), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hall_term", sa.BigInteger(), nullable=True),
        sa.Column("apart", sa.Boolean(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("checkin_id", name=op.f("pk_checkins")),
        sa.UniqueConstraint("campaign_id", "desk_id", "ticket", name=op.f("uq_checkins_campaign_id_desk_id_ticket")),
        schema="capture",
    )
    op.create_index(
        "ix_checkins_campaign_id_student_id", "checkins", ["campaign_id", "student_id"], unique=False, schema="capture"
    )
    op.create_index(
        "ix_checkins_waiting",
        "checkins",
        ["student_id"],
        unique=False,
        schema="capture",
        postgresql_where=sa.text("class_id is null"),
    )
    op.create_table(
        "classes",
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("college_zh", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("headcount", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("class_id", name=op.f("pk_classes")),
        schema="capture",
    )
    op.create_index("ix_classes_campaign_id", "classes", ["campaign_id"], unique=False, schema="capture")
    op.create_table(
        "codes",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_codes")),
        schema="capture",
    )
    op.create_table(
        "derivatives",
        sa.Column("capture_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("original_sha256", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("maker", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("capture_id", "sha256", name=op.f("pk_derivatives")),
        schema="capture",
    )
    op.create_table(
        "desks",
        sa.Column("desk_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("group_code", sa.Text(), nullable=False),
        sa.Column("campus_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("planned_per_hour", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("desk_id", name=op.f("pk_desks")),
        schema="capture",
    )
    op.create_index("ix_desks_campaign_id", "desks", ["campaign_id"], unique=False, schema="capture")
    op.create_table(
        "doubles",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("checkin_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("apart", sa.Boolean(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept_capture_id", sa.Uuid(), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_doubles")),
        schema="capture",
    )
    op.create_index("ix_doubles_campaign_id", "doubles", ["campaign_id"], unique=False, schema="capture")
    op.create_table(
        "drifts",
        sa.Column("drift_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("desk_id", sa.Uuid(), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("sign", sa.Text(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("suspected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("cue", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("drift_id", name=op.f("pk_drifts")),
        schema="capture",
    )
    op.create_index("ix_drifts_campaign_id", "drifts", ["campaign_id"], unique=False, schema="capture")
    op.create_table(
        "history",
        sa.Column("capture_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_student_id", sa.Uuid(), nullable=True),
        sa.Column("to_student_id", sa.Uuid(), nullable=True),
        _sealed("history", "reason"),
        sa.PrimaryKeyConstraint("capture_id", "version", name=op.f("pk_history")),
        schema="capture",
    )
    op.create_table(
        "let_in",
        sa.Column("checkin_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("desk_id", sa.Uuid(), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        _sealed("let_in", "reason"),
        sa.PrimaryKeyConstraint("checkin_id", name=op.f("pk_let_in")),
        schema="capture",
    )
    op.create_index("ix_let_in_student_id", "let_in", ["student_id"], unique=False, schema="capture")
    op.create_table(
        "consents",
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("desk_id", sa.Uuid(), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_sha256", sa.Text(), nullable=False),
        sa.Column("said_at", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("consent_id", name=op.f("pk_consents")),
        schema="capture",
    )
    op.create_index("ix_consents_student_id", "consents", ["student_id"], unique=False, schema="capture")
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column(
            "received_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_inbox")),
        schema="capture",
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
        schema="capture",
        postgresql_with={"autovacuum_vacuum_scale_factor": "0", "autovacuum_vacuum_threshold": "5000"},
    )
    op.create_index(
        "ix_outbox_unsent",
        "outbox",
        ["seq"],
        unique=False,
        schema="capture",
        postgresql_where=sa.text("sent_at is null"),
    )
    op.create_table(
        "pack_noted",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_pack_noted")),
        schema="capture",
    )
    op.create_index("ix_pack_noted_campaign_id", "pack_noted", ["campaign_id"], unique=False, schema="capture")
    op.create_table(
        "pack_entries",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("eligible", sa.Boolean(), nullable=False),
        sa.Column("photographed", sa.Boolean(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_pack_entries")),
        schema="capture",
    )
    op.create_index(
        "ix_pack_entries_campaign_id_number", "pack_entries", ["campaign_id", "number"], unique=False, schema="capture"
    )
    op.create_table(
        "pack_states",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "number", name=op.f("pk_pack_states")),
        schema="capture",
    )
    op.create_table(
        "pack_heads",
        sa.Column("desk_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("desk_id", name=op.f("pk_pack_heads")),
        schema="capture",
    )
    op.create_table(
        "range_rebinds",
        sa.Column("rebind_id", sa.Uuid(), nullable=False),
        sa.Column("desk_id", sa.Uuid(), nullable=False),
        sa.Column("first_ticket", sa.Text(), nullable=False),
        sa.Column("last_ticket", sa.Text(), nullable=False),
        sa.Column("places", sa.BigInteger(), nullable=False),
        sa.Column("skipped", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moves", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        _sealed("range_rebinds", "reason"),
        sa.PrimaryKeyConstraint("rebind_id", name=op.f("pk_range_rebinds")),
        schema="capture",
    )
    op.create_index("ix_range_rebinds_desk_id", "range_rebinds", ["desk_id"], unique=False, schema="capture")
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("desk_id", sa.Uuid(), nullable=False),
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("camera_frames", sa.BigInteger(), nullable=False),
        sa.Column("journalled_frames", sa.BigInteger(), nullable=False),
        sa.Column("stored_frames", sa.BigInteger(), nullable=False),
        sa.Column("differences", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("difference_count", sa.BigInteger(), nullable=False),
        sa.Column("receipts", sa.Text(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("settled_role", sa.Text(), nullable=True),
        sa.Column("settled_reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        _sealed("sessions", "settled_reason"),
        sa.CheckConstraint("state in ('sealed','refused','settled')", name=op.f("ck_sessions_state")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_sessions")),
        schema="capture",
    )
    op.create_index("ix_sessions_campaign_id", "sessions", ["campaign_id"], unique=False, schema="capture")
    op.create_index(
        "ix_sessions_refused",
        "sessions",
        ["desk_id"],
        unique=False,
        schema="capture",
        postgresql_where=sa.text("state = 'refused'"),
    )
    op.create_table(
        "slots",
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=True),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("order_code", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("slot_id", name=op.f("pk_slots")),
        schema="capture",
    )
    op.create_index("ix_slots_campaign_id", "slots", ["campaign_id"], unique=False, schema="capture")
    op.create_table(
        "stations",
        sa.Column("station_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("desk_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code_index", sa.LargeBinary(), nullable=False),
        sa.Column("code_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("public_key_pem", sa.Text(), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("health", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state in ('invited','enrolled','revoked')", name=op.f("ck_stations_state")),
        sa.PrimaryKeyConstraint("station_id", name=op.f("pk_stations")),
        sa.UniqueConstraint("code_index", name=op.f("uq_stations_code_index")),
        schema="capture",
    )
    op.create_index("ix_stations_campaign_id", "stations", ["campaign_id"], unique=False, schema="capture")
    op.create_index(
        "ix_stations_online",
        "stations",
        ["heard_at"],
        unique=False,
        schema="capture",
        postgresql_where=sa.text("online"),
    )
    op.create_table(
        "students",
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("eligible", sa.Boolean(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_students")),
        schema="capture",
    )
    op.create_index(
        "ix_students_campaign_id_class_id", "students", ["campaign_id", "class_id"], unique=False, schema="capture"
    )
    op.create_table(
        "views",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("viewer", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_views")),
        schema="capture",
    )
    op.create_index("ix_views_subject_id", "views", ["subject_id", "seq"], unique=False, schema="capture")
    op.execute(
        """
        create function capture.only_grows() returns trigger language plpgsql as $$
        begin
            raise exception '% only grows', tg_table_name;
        end $$
        """
    )
    for table in ("history", "views", "derivatives", "let_in", "consents"):
        op.execute(
            f"create trigger only_grows before update or delete or truncate on capture.{table} "
            "for each statement execute function capture.only_grows()"
        )
    _note_pack_changes()


def _note_pack_changes() -> None:
    """Whatever changes what a desk pack says of a student is noted in the same transaction, whoever writes it."""
    op.execute(
        """
        create function capture.note_student() returns trigger language plpgsql as $$
        begin
            insert into capture.pack_noted (campaign_id, student_id) values (new.campaign_id, new.student_id);
            return null;
        end $$
        """
    )
    op.execute(
        """
        create function capture.note_photo() returns trigger language plpgsql as $$
        begin
            if tg_op = 'UPDATE' and old.state = 'accepted' and old.student_id is not null then
                insert into capture.pack_noted (campaign_id, student_id) values (old.campaign_id, old.student_id);
            end if;
            if new.state = 'accepted' and new.student_id is not null then
                insert into capture.pack_noted (campaign_id, student_id) values (new.campaign_id, new.student_id);
            end if;
            return null;
        end $$
        """
    )
    op.execute(
        """
        create function capture.note_campaign() returns trigger language plpgsql as $$
        begin
            insert into capture.pack_noted (campaign_id, student_id)
            select campaign_id, student_id from capture.students where campaign_id = new.campaign_id;
            return null;
        end $$
        """
    )
    for table in ("students", "codes"):
        op.execute(
            f"create trigger note_student after insert or update on capture.{table} "
            "for each row execute function capture.note_student()"
        )
    op.execute(
        "create trigger note_photo after insert on capture.captures for each row execute function capture.note_photo()"
    )
    op.execute(
        "create trigger note_photo_change after update on capture.captures for each row "
        "when (old.state is distinct from new.state or old.student_id is distinct from new.student_id) "
        "execute function capture.note_photo()"
    )
    op.execute(
        "create trigger note_campaign after update on capture.campaigns for each row "
        "when (old.identity_mode is distinct from new.identity_mode) execute function capture.note_campaign()"
    )
