"""Which word of a student on face comparison holds."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from gradphoto_contracts import ids
from services.capture.domain import consents

NOON = datetime(2024, 3, 20, 4, tzinfo=UTC)
STUDENT, CAMPAIGN = ids.StudentId(uuid4()), ids.CampaignId(uuid4())


def said(at: datetime, recorded_at: datetime, *, given: bool) -> consents.Consent:
    return consents.Consent(
        consent_id=UUID(int=int(given)),
        campaign_id=CAMPAIGN,
        student_id=STUDENT,
        station_id=ids.StationId(uuid4()),
        desk_id=ids.DeskId(uuid4()),
        given=given,
        text="v1",
        text_sha256="0" * 64,
        said_at=at.isoformat(),
        at=at,
        signature="",
        recorded_at=recorded_at,
    )


def test_a_clock_that_is_ahead_does_not_outlive_a_withdrawal() -> None:
    """What came before the withdrawal was said is older than it, whatever the first desk's clock showed."""
    ahead = said(NOON + timedelta(hours=3), NOON + timedelta(minutes=1), given=True)
    withdrawn = said(NOON + timedelta(minutes=30), NOON + timedelta(minutes=31), given=False)
    assert consents.in_force([ahead, withdrawn]) is None


def test_a_word_that_came_late_keeps_its_place() -> None:
    """Control: a desk that was offline hands an older yes in after the withdrawal; the withdrawal holds."""
    late = said(NOON, NOON + timedelta(hours=5), given=True)
    withdrawn = said(NOON + timedelta(minutes=30), NOON + timedelta(minutes=31), given=False)
    assert consents.in_force([withdrawn, late]) is None
    yes = said(NOON + timedelta(hours=1), NOON + timedelta(hours=5), given=True)
    assert consents.in_force([withdrawn, yes]) == yes
