"""CHSI's answer, photo by photo."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from gradphoto_contracts import ids, verify
from services.verify.domain import copies, journey, makeups, moves


def publish(case: journey.Case, now: datetime, campaign: copies.Campaign) -> journey.Step:
    """CHSI shows the photo in force: proofreading can begin, or an open dispute is over."""
    if case.published_at is not None:
        return journey.Step(case, case)
    shown = replace(case, published_at=now, overdue=False)
    if case.state == "disputed":
        corrected = replace(shown, state="corrected", outcome="corrected")
        return moves.step(case, corrected, campaign, verify.PhotoPublishedV1, verify.PhotoCorrectedV1)
    if case.state not in ("photographed", "delivered", "makeup_done", *journey.WANTING):
        return moves.step(case, shown, campaign)
    return moves.step(case, replace(shown, state="published"), campaign, verify.PhotoPublishedV1)


def refuse(case: journey.Case, now: datetime, campaign: copies.Campaign) -> journey.Step:
    """CHSI sent the photo back: a dispute, and a make-up where policy offers one and its window is not over."""
    if case.state == "disputed" or case.state in journey.WANTING:
        return journey.Step(case, case)
    disputed = moves.open_dispute(case, "refused_by_chsi", now, campaign)
    called = makeups.call_for_makeup(disputed.after, disputed.after, "refused", now, campaign)
    return journey.Step(case, called.after, disputed.events + called.events)


@dataclass(frozen=True)
class Verdict:
    """One row of CHSI's result file, read."""

    row: int
    capture_id: ids.CaptureId
    shown: bool
    reason: str


def repeated(verdicts: Iterable[Verdict]) -> dict[int, int]:
    """Rows that name a photo which an earlier row names: {row: earlier row}."""
    first: dict[ids.CaptureId, int] = {}
    return {v.row: first[v.capture_id] for v in verdicts if first.setdefault(v.capture_id, v.row) != v.row}
