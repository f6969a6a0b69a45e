"""Consent to face comparison, as desks record it: kept, so that it can be shown who agreed to what, and when."""

from kit import errors
from services.capture import ports
from services.capture.domain import consents
from services.capture.handlers import desk, measures


async def note_consent(work: ports.Work, consent: consents.Consent) -> consents.Consent:
    """Keep what a student said. In any order, as often as it comes, and before roster's word about the student."""
    await desk.class_of(work, consent.student_id, consent.campaign_id)
    kept = await work.consents.add(consent)
    if not consents.same(kept, consent):
        measures.CONFLICTS.labels(subject="consent").inc()
        raise errors.Conflict("consent-differs")
    if kept.recorded_at == consent.recorded_at:
        measures.CONSENTS.labels(given=str(consent.given).lower()).inc()
    return kept
