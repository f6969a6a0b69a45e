"""What a person typed stands nowhere in plain: every column of text is named here with what it holds, or is sealed."""

import importlib

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from kit import words
from tests.architecture import source

#: Columns of text by table, with what no person can type freely: codes out of a list, keys, hashes, signatures, what
#: the configuration names (a campaign, a class, a room, a machine), who did it as their token says.
HOLDS: dict[str, dict[str, str]] = {
    "roster": {
        "campaigns": "code title_zh school_code policy state",
        "campuses": "code name_zh",
        "classes": "college_zh label",
        "students": "student_no cohort level",
        "vault": "document_type sex",
        "codes": "mode digest",
        "imports": "file_sha256 state classes uploaded_by",
        "staged": "student_no cohort level document_type sex mode digest",
        "reveals": "by role fields",
    },
    "scheduler": {
        "campaigns": "title_zh campuses fee_mode",
        "classes": "college_zh label",
        "plans": "state wanted layout findings",
        "groups": "code site_zh room_zh",
        "desks": "code",
        "slots": "label_zh order_code",
        "delays": "reason",  # one of five codes: `handlers.Reason`
    },
    "capture": {
        "campaigns": "identity_mode profile face_consent double_rule seat campuses",
        "classes": "college_zh label",
        "codes": "mode digest",
        "desks": "group_code code",
        "slots": "order_code",
        "stations": "label state public_key_pem health",
        "checkins": "ticket",
        "captures": "ticket sha256 camera_serial decision override_role override_mark desk_verdict desk_rules state "
        "cause rules verdict profile photo_key photo_sha256 original_version",
        "doubles": "settled_by",
        "history": "act author role",
        "let_in": "role mark",
        "consents": "text text_sha256 said_at signature",
        "range_rebinds": "first_ticket last_ticket skipped digest author moves",
        "derivatives": "sha256 object_key original_sha256 profile maker",
        "views": "viewer role what",
        "sessions": "state document signature differences receipts settled_by settled_role",
        "audits": "asked_by section cursor",
        "audit_findings": "object_key kind",
        "drifts": "sign expected seen resolution cue",
        "pack_entries": "digest",
        "pack_states": "mark",
        "pack_heads": "digest",
    },
    "billing": {
        "campaigns": "code school_code mode",
        "classes": "college_zh label",
        "charges": "payer_kind payer_ref",
        "accounts": "payer_kind payer_ref",
        "transactions": "kind",
        "entries": "account",
        "payments": "payer_kind payer_ref method",
        "vouchers": "payer_kind payer_ref number state",
        "refunds": "payer_kind payer_ref",
        "receipts": "number",
        "settlements": "payer_kind payer_ref",
        "numbers": "kind",
    },
    "verify": {
        "campaigns": "code chsi makeup",
        "classes": "college_zh label",
        "photos": "photo_key photo_sha256",
        "cases": "state cause place_zh outcome deadline",
        "outcomes": "deadline outcome",
        "announcements": "deadline",
        "batches": "state archive_key archive_sha256",
        "results": "file_sha256",
        "views": "viewer",
    },
}
#: The kit's own, the same in every service: an event carries no words (`test_words`, `gradphoto_contracts`).
OUTBOX = {"outbox": "type subject envelope"}
#: So are columns called that people explain themselves in.
TELLING = ("reason", "remark", "note", "comment", "explanation", "memo", "words", "why", "withdrawn_for")


def metadata(service: str) -> sa.MetaData:
    """A service's tables."""
    found: sa.MetaData = importlib.import_module(f"services.{service}.store").METADATA
    return found


def holds_text(column: sa.Column[object]) -> bool:
    """Whether words would fit in, alone, in a list, or in a document."""
    kind = column.type.item_type if isinstance(column.type, sa.ARRAY | postgresql.ARRAY) else column.type
    return isinstance(kind, sa.String | sa.JSON)


def plain(tables: sa.MetaData, known: dict[str, str]) -> list[str]:
    """Columns in which words could stand in plain without anybody having said that none do."""
    found = []
    for table in tables.tables.values():
        told = known.get(table.name, "").split()
        found += [f"{table.name}.{c.name}" for c in table.columns if holds_text(c) and c.name not in told]
    return found


@pytest.mark.parametrize("service", source.SERVICES)
def test_every_column_of_text_is_known_or_sealed(service: str) -> None:
    """A new one is named above with what it holds; what a person may type goes through `kit.words`."""
    assert plain(metadata(service), {**HOLDS[service], **OUTBOX}) == []


@pytest.mark.parametrize("service", source.SERVICES)
def test_what_is_named_above_is_there(service: str) -> None:
    """No column is excused that has gone."""
    tables = metadata(service).tables
    named = [f"{table}.{name}" for table, names in HOLDS[service].items() for name in names.split()]
    known = {f"{table.name}.{column.name}" for table in tables.values() for column in table.columns}
    assert [name for name in named if name not in known] == []


@pytest.mark.parametrize("service", source.SERVICES)
def test_a_column_for_explanations_is_sealed(service: str) -> None:
    """Whatever is said of it above, but for the one that takes codes alone."""
    columns = [c for table in metadata(service).tables.values() for c in table.columns if holds_text(c)]
    telling = [f"{c.table.name}.{c.name}" for c in columns if any(c.name.endswith(name) for name in TELLING)]
    assert telling == (["delays.reason"] if service == "scheduler" else [])


@pytest.mark.parametrize("service", source.SERVICES)
def test_the_database_refuses_plain_words_in_a_sealed_column(service: str) -> None:
    """Each such column has the constraint that looks at its head; the vault's are written by one class alone."""
    for table in metadata(service).tables.values():
        constrained = " ".join(str(c.sqltext) for c in table.constraints if isinstance(c, sa.CheckConstraint))
        for column in table.columns:
            if column.name.endswith(words.ENDING) and table.name not in ("vault", "staged"):
                assert words.looks_sealed(column.name) in constrained, f"{table.name}.{column.name}"


@pytest.mark.parametrize("kind", [sa.Text(), sa.String(500), postgresql.JSONB(), postgresql.ARRAY(sa.Text())])
def test_a_new_plain_column_is_caught(kind: sa.types.TypeEngine[object]) -> None:
    """Negative control: a remark that somebody adds tomorrow, and one in a table nobody has named."""
    tables = sa.MetaData()
    sa.Table("drifts", tables, sa.Column("sign", sa.Text), sa.Column("remark", kind))
    sa.Table("talks", tables, sa.Column("said", kind), sa.Column("said_sealed", sa.LargeBinary))
    assert plain(tables, HOLDS["capture"]) == ["drifts.remark", "talks.said"]
