"""The tables of capture. Ids are made at the desks or by other services; constraints hold what must never be."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from kit import db, inbox, outbox, words

METADATA = db.metadata_for("capture")


def _id(name: str, *, key: bool = False, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid, primary_key=key, nullable=null)


def _time(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _text(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text, nullable=null)


def _words(name: str, *, null: bool = False) -> tuple[sa.Column[object], sa.CheckConstraint]:
    """People's own words, sealed (`kit.words`); the database refuses what does not look so."""
    column = name + words.ENDING
    sealed: sa.Column[object] = sa.Column(column, sa.LargeBinary, nullable=null)
    return sealed, sa.CheckConstraint(words.looks_sealed(column), name=f"{name}_is_sealed")


def _number(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger, nullable=null)


def _flag(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Boolean, nullable=False)


#: What sealed words belong to, beside the row's id: they open nowhere else.
HISTORY_REASON, LET_IN_REASON = "history.reason", "let_in.reason"
RANGE_REASON, SETTLED_REASON = "range_rebinds.reason", "sessions.settled_reason"

CAMPAIGNS = sa.Table(
    "campaigns",
    METADATA,
    _id("campaign_id", key=True),
    _text("identity_mode"),
    _text("profile"),
    _number("retake_limit"),
    _text("face_consent"),
    _text("double_rule"),
    _number("desk_pack_hours"),
    _number("desk_pack_fresh_minutes"),
    sa.Column("seat", JSONB, nullable=False),
    _number("upload_kbit_s", null=True),
    sa.Column("campuses", JSONB, nullable=False),
    _flag("open"),
    _number("version"),
)

CLASSES = sa.Table(
    "classes",
    METADATA,
    _id("class_id", key=True),
    _id("campaign_id"),
    _id("campus_id"),
    _text("college_zh"),
    _text("label"),
    _number("headcount"),
    _number("version"),
    sa.Index("ix_classes_campaign_id", "campaign_id"),
)

STUDENTS = sa.Table(
    "students",
    METADATA,
    _id("student_id", key=True),
    _id("campaign_id"),
    _id("class_id"),
    _flag("eligible"),
    _number("ordinal"),
    _flag("withdrawn"),
    _number("version"),
    sa.Index("ix_students_campaign_id_class_id", "campaign_id", "class_id"),
)

CODES = sa.Table(
    "codes",
    METADATA,
    _id("student_id", key=True),
    _id("campaign_id"),
    _text("mode"),
    _text("digest"),
    _number("version"),
)

DESKS = sa.Table(
    "desks",
    METADATA,
    _id("desk_id", key=True),
    _id("campaign_id"),
    _id("group_id"),
    _text("group_code"),
    _id("campus_id"),
    _text("code"),
    _number("planned_per_hour"),
    _number("revision"),
    sa.Index("ix_desks_campaign_id", "campaign_id"),
)

SLOTS = sa.Table(
    "slots",
    METADATA,
    _id("slot_id", key=True),
    _id("campaign_id"),
    _id("class_id", null=True),
    _id("group_id", null=True),
    _text("order_code", null=True),
    _time("starts_at", null=True),
    _flag("cancelled"),
    _number("version"),
    sa.Index("ix_slots_campaign_id", "campaign_id"),
)

STATIONS = sa.Table(
    "stations",
    METADATA,
    _id("station_id", key=True),
    _id("campaign_id"),
    _id("desk_id"),
    _text("label"),
    _text("state"),
    sa.Column("code_index", sa.LargeBinary, nullable=False, unique=True),
    _time("code_expires_at"),
    _time("created_at"),
    _text("public_key_pem", null=True),
    _time("last_seen_at", null=True),
    _flag("online"),
    # When it was last heard by the database's own clock: a simulated hour may pass between two heartbeats.
    _time("heard_at", null=True),
    sa.Column("health", JSONB, nullable=False, server_default=sa.text("'{}'")),
    _number("version"),
    sa.CheckConstraint("state in ('invited','enrolled','revoked')", name="state"),
    sa.Index("ix_stations_campaign_id", "campaign_id"),
    sa.Index("ix_stations_online", "heard_at", postgresql_where=sa.text("online")),
)

CHECKINS = sa.Table(
    "checkins",
    METADATA,
    _id("checkin_id", key=True),
    _id("campaign_id"),
    _id("student_id"),
    _id("class_id", null=True),
    _id("desk_id"),
    _id("station_id"),
    _text("ticket"),
    _time("checked_in_at"),
    _time("recorded_at"),
    # How the hall's desks agreed to it, and when its holder walked off.
    _number("hall_term", null=True),
    _flag("apart"),
    _time("released_at", null=True),
    _number("version"),
    sa.UniqueConstraint("campaign_id", "desk_id", "ticket"),
    sa.Index("ix_checkins_campaign_id_student_id", "campaign_id", "student_id"),
    sa.Index("ix_checkins_waiting", "student_id", postgresql_where=sa.text("class_id is null")),
)

CAPTURES = sa.Table(
    "captures",
    METADATA,
    _id("capture_id", key=True),
    # What the desk journalled: never changed.
    _id("campaign_id"),
    _id("desk_id"),
    _id("station_id"),
    _id("shot_student_id", null=True),
    _id("checkin_id", null=True),
    _text("ticket", null=True),
    _text("sha256"),
    _number("size_bytes"),
    _time("shutter_at"),
    _text("camera_serial"),
    _number("frame_counter"),
    _number("monotonic_ns"),
    _text("decision"),
    _text("override_role", null=True),
    _text("override_mark", null=True),
    _text("desk_verdict", null=True),
    sa.Column("desk_rules", ARRAY(sa.Text), nullable=False),
    sa.Column("clock_offset_s", sa.Double, nullable=False),
    # What became of it.
    _id("student_id", null=True),
    _id("class_id", null=True),
    _text("state"),
    _time("received_at"),
    _text("cause", null=True),
    sa.Column("rules", ARRAY(sa.Text), nullable=False),
    _text("verdict", null=True),
    _flag("overridden"),
    _text("profile", null=True),
    _text("photo_key", null=True),
    _text("photo_sha256", null=True),
    _text("original_version", null=True),
    _number("version"),
    # Since when the original cannot be had, by the database's own clock.
    _time("lost_at", null=True),
    # Whose work it is now. Leases run on the database's own clock: a simulated day may pass in a second.
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("claimed_until", sa.DateTime(timezone=True)),
    sa.CheckConstraint("state in ('received','accepted','rejected','withdrawn','unbound')", name="state"),
    sa.CheckConstraint("decision in ('keep','retake','override','unbound')", name="decision"),
    sa.CheckConstraint(
        "(decision = 'override') = (override_role is not null and override_mark is not null)", name="override_by_whom"
    ),
    sa.CheckConstraint(
        "state <> 'accepted' or (class_id is not null and photo_key is not null and photo_sha256 is not null)",
        name="accepted_is_whole",
    ),
    # The second of the harms that this system exists to end: one photo in force a student, whoever races.
    sa.Index(
        "uq_captures_in_force",
        "campaign_id",
        "student_id",
        unique=True,
        postgresql_where=sa.text("state = 'accepted'"),
    ),
    sa.Index(
        "ix_captures_to_inspect",
        "received_at",
        postgresql_where=sa.text("state = 'received' and class_id is not null"),
    ),
    sa.Index(
        "ix_captures_waiting",
        "student_id",
        postgresql_where=sa.text("state = 'received' and class_id is null"),
    ),
    sa.Index(
        "ix_captures_lost",
        "campaign_id",
        postgresql_where=sa.text("state = 'received' and lost_at is not null"),
    ),
    sa.Index("ix_captures_campaign_id_capture_id", "campaign_id", "capture_id"),
    sa.Index("ix_captures_campaign_id_desk_id_state", "campaign_id", "desk_id", "state"),
    sa.Index("ix_captures_student_id", "student_id"),
    sa.Index("ix_captures_shot_student_id", "shot_student_id"),
    sa.Index("ix_captures_checkin_id", "checkin_id"),
    sa.Index("ix_captures_counted", "station_id", "camera_serial", "frame_counter"),
)

DOUBLES = sa.Table(
    "doubles",
    METADATA,
    _id("student_id", key=True),
    _id("campaign_id"),
    sa.Column("checkin_ids", ARRAY(sa.Uuid), nullable=False),
    _flag("apart"),
    _time("found_at"),
    _id("kept_capture_id", null=True),
    _text("settled_by", null=True),
    _time("settled_at", null=True),
    _number("version"),
    sa.Index("ix_doubles_campaign_id", "campaign_id"),
)

HISTORY = sa.Table(
    "history",
    METADATA,
    _id("capture_id", key=True),
    sa.Column("version", sa.BigInteger, primary_key=True),
    _text("act"),
    _text("author"),
    _text("role"),
    *_words("reason"),
    _time("at"),
    _id("from_student_id", null=True),
    _id("to_student_id", null=True),
)

# Who let a student in at a desk against the plan, or without a code, and why.
LET_IN = sa.Table(
    "let_in",
    METADATA,
    _id("checkin_id", key=True),
    _id("campaign_id"),
    _id("student_id"),
    _id("desk_id"),
    _id("station_id"),
    _text("role"),
    *_words("reason"),
    # A keyed mark: the same words told again are known by it, and no other.
    _text("mark"),
    _time("at"),
    _time("recorded_at"),
    sa.Index("ix_let_in_student_id", "student_id"),
)

CONSENTS = sa.Table(
    "consents",
    METADATA,
    _id("consent_id", key=True),
    _id("campaign_id"),
    _id("student_id"),
    _id("station_id"),
    _id("desk_id"),
    _flag("given"),
    _text("text"),
    _text("text_sha256"),
    _text("said_at"),
    _time("at"),
    _text("signature"),
    _time("recorded_at"),
    sa.Index("ix_consents_student_id", "student_id"),
)

RANGE_REBINDS = sa.Table(
    "range_rebinds",
    METADATA,
    # Made by who asks: the same id again is the same act.
    _id("rebind_id", key=True),
    _id("desk_id"),
    _text("first_ticket"),
    _text("last_ticket"),
    _number("places"),
    sa.Column("skipped", ARRAY(sa.Text), nullable=False),
    _text("digest"),
    _text("author"),
    *_words("reason"),
    _time("applied_at"),
    sa.Column("moves", JSONB, nullable=False),
    sa.Index("ix_range_rebinds_desk_id", "desk_id"),
)

DERIVATIVES = sa.Table(
    "derivatives",
    METADATA,
    _id("capture_id", key=True),
    sa.Column("sha256", sa.Text, primary_key=True),
    _text("object_key"),
    _text("original_sha256"),
    _text("profile"),
    _text("maker"),
    _time("made_at"),
)

VIEWS = sa.Table(
    "views",
    METADATA,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _id("subject_id"),
    _text("viewer"),
    _text("role"),
    _text("what"),
    _time("at"),
    sa.Index("ix_views_subject_id", "subject_id", "seq"),
)

SESSIONS = sa.Table(
    "sessions",
    METADATA,
    _id("session_id", key=True),
    _id("campaign_id"),
    _id("desk_id"),
    _id("station_id"),
    _text("state"),
    # What the station signed, to the letter, and its signature.
    sa.Column("document", JSONB, nullable=False),
    _text("signature"),
    _number("camera_frames"),
    _number("journalled_frames"),
    _number("stored_frames"),
    sa.Column("differences", JSONB, nullable=False),
    _number("difference_count"),
    _text("receipts"),
    _time("sealed_at"),
    _text("settled_by", null=True),
    _text("settled_role", null=True),
    *_words("settled_reason", null=True),
    _number("version"),
    sa.CheckConstraint("state in ('sealed','refused','settled')", name="state"),
    sa.Index("ix_sessions_campaign_id", "campaign_id"),
    sa.Index("ix_sessions_refused", "desk_id", postgresql_where=sa.text("state = 'refused'")),
)

AUDITS = sa.Table(
    "audits",
    METADATA,
    _id("audit_id", key=True),
    _id("campaign_id"),
    _text("asked_by"),
    _flag("decode"),
    _number("grace_s"),
    _time("started_at"),
    _number("expected"),
    _text("section"),
    _text("cursor"),
    _number("checked"),
    _number("in_flight"),
    _number("known_unreadable"),
    _time("finished_at", null=True),
    _number("tries"),
    # Whose stretch it is now, by the database's own clock.
    sa.Column("claims", sa.BigInteger, nullable=False, server_default="0"),
    _time("claimed_until", null=True),
    sa.Index("uq_audits_running", "campaign_id", unique=True, postgresql_where=sa.text("finished_at is null")),
    sa.Index("ix_audits_campaign_id_finished_at", "campaign_id", "finished_at"),
)

AUDIT_FINDINGS = sa.Table(
    "audit_findings",
    METADATA,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _id("audit_id"),
    _text("object_key"),
    _text("kind"),
    sa.Column("capture_ids", ARRAY(sa.Uuid), nullable=False),
    sa.UniqueConstraint("audit_id", "object_key", "kind"),
)

DRIFTS = sa.Table(
    "drifts",
    METADATA,
    _id("drift_id", key=True),
    _id("campaign_id"),
    _id("desk_id"),
    _id("station_id"),
    _text("sign"),
    _text("expected"),
    _text("seen"),
    _time("suspected_at"),
    _text("resolution", null=True),
    _text("cue", null=True),
    _number("version"),
    sa.Index("ix_drifts_campaign_id", "campaign_id"),
)

# Whose pack entry may be another one now. Written by triggers in the transaction that changes the student, the code or
# the photo; one row a change and no unique key, so that no transaction waits for another.
PACK_NOTED = sa.Table(
    "pack_noted",
    METADATA,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _id("campaign_id"),
    _id("student_id"),
    sa.Index("ix_pack_noted_campaign_id", "campaign_id"),
)

# What packs say of a student, since which number of the campaign. Who has left stays as `gone`: packs must be told.
PACK_ENTRIES = sa.Table(
    "pack_entries",
    METADATA,
    _id("student_id", key=True),
    _id("campaign_id"),
    _id("class_id"),
    _text("digest", null=True),
    _number("ordinal"),
    _flag("eligible"),
    _flag("photographed"),
    _flag("gone"),
    _number("number"),
    sa.Index("ix_pack_entries_campaign_id_number", "campaign_id", "number"),
)

# Every state that a campaign's entries were in; the mark is drawn at random, so that a number that was given out before
# a backup was put back is not taken for the same number after it.
PACK_STATES = sa.Table(
    "pack_states",
    METADATA,
    sa.Column("campaign_id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    _text("mark"),
)

PACK_HEADS = sa.Table(
    "pack_heads",
    METADATA,
    _id("desk_id", key=True),
    _text("digest"),
    _number("number"),
)

OUTBOX = outbox.table(METADATA)
INBOX = inbox.table(METADATA)
