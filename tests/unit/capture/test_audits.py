"""Rows and objects laid side by side, stretch by stretch."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from gradphoto_contracts import ids
from services.capture.domain import audits

NOW = datetime(2024, 5, 20, tzinfo=UTC)
AUDIT = audits.Audit(
    audit_id=UUID(int=1),
    campaign_id=ids.CampaignId(UUID(int=2)),
    asked_by="somebody",
    decode=True,
    grace_s=60,
    started_at=NOW,
    expected=0,
)
NAMES = st.sets(st.text("abcdef", min_size=1, max_size=3), max_size=25)


@given(NAMES, NAMES, st.integers(1, 7))
def test_stretches_together_are_the_whole(rows: set[str], objects: set[str], limit: int) -> None:
    """Whatever the length of a stretch, each row and each object is looked at once, and told apart rightly."""
    audit, present, absent, unknown = AUDIT, [], [], []
    while audit.section == "originals":
        expected = [audits.Expected(name, "", ()) for name in sorted(rows) if name > audit.cursor][:limit]
        lying = [audits.Lying(name, timedelta(hours=1)) for name in sorted(objects) if name > audit.cursor][:limit]
        stretch = audits.lay(expected, lying, limit)
        present += [one.name for one in stretch.present]
        absent += [one.name for one in stretch.absent]
        unknown += [one.name for one in stretch.unknown]
        audit = audits.advance(audit, audits.Looked(end=stretch.end), NOW)
    assert present == sorted(rows & objects)
    assert absent == sorted(rows - objects)
    assert unknown == sorted(objects - rows)


def test_an_audit_goes_through_its_sections_and_ends() -> None:
    """Behind the last stretch of the originals come the photos; behind theirs, the end."""
    photos = audits.advance(replace(AUDIT, cursor="x"), audits.Looked(checked=3), NOW)
    assert (photos.section, photos.cursor, photos.checked, photos.finished_at) == ("photos", "", 3, None)
    assert audits.advance(photos, audits.Looked(checked=2), NOW).finished_at == NOW


def test_a_young_object_that_no_row_names_is_on_its_way() -> None:
    """An upload comes before its row: only after a while is it an orphan."""
    unknown = [audits.Lying("old", timedelta(seconds=60)), audits.Lying("young", timedelta(seconds=59))]
    findings, in_flight = audits.judge_unknown(AUDIT, unknown)
    assert [one.object_key for one in findings] == [f"originals/{AUDIT.campaign_id}/old"]
    assert in_flight == 1
