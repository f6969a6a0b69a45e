"""One student taken at two desks: everything is kept, it is called out, and the campaign's policy decides.

It can happen where a hall was split, or where a desk stood alone; a student who walked off, or whose photo was refused,
and who came again, is no double.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from gradphoto_contracts import capture, ids
from gradphoto_contracts.policy import DoubleRule
from services.capture.domain.photos import Photo

By = Literal["policy", "released", "person"]


@dataclass(frozen=True)
class Double:
    """A student with more than one check-in that counts. `apart`: one was made without the hall's agreement."""

    student_id: ids.StudentId
    campaign_id: ids.CampaignId
    checkin_ids: tuple[ids.CheckinId, ...]
    apart: bool
    found_at: datetime
    kept_capture_id: ids.CaptureId | None = None
    settled_by: By | None = None
    settled_at: datetime | None = None
    version: int = 1


def find(
    before: Double | None,
    student_id: ids.StudentId,
    campaign_id: ids.CampaignId,
    checkin_ids: Sequence[ids.CheckinId],
    now: datetime,
    *,
    apart: bool,
) -> tuple[Double, list[capture.DoubleFoundV1]]:
    """Note that these check-ins are one student's. What is known already is no news."""
    known = () if before is None else before.checkin_ids
    together = tuple(sorted({*known, *checkin_ids}))
    if before is not None and together == known:
        return before, []
    version = before.version + 1 if before else 1
    found = Double(student_id, campaign_id, together, apart or bool(before and before.apart), now, version=version)
    event = capture.DoubleFoundV1(
        student_id=student_id,
        campaign_id=campaign_id,
        checkin_ids=together,
        apart=found.apart,
        found_at=now,
        version=version,
    )
    return found, [event]


def settle(
    double: Double, by: By, kept: ids.CaptureId | None, now: datetime
) -> tuple[Double, list[capture.DoubleSettledV1]]:
    """Note what became of it. The same answer again is no news; a later one replaces it."""
    if double.settled_by == by and double.kept_capture_id == kept:
        return double, []
    settled = replace(double, settled_by=by, kept_capture_id=kept, settled_at=now, version=double.version + 1)
    event = capture.DoubleSettledV1(
        student_id=double.student_id,
        campaign_id=double.campaign_id,
        kept_capture_id=kept,
        by=by,
        settled_at=now,
        version=settled.version,
    )
    return settled, [event]


def replaces(rule: DoubleRule, in_force: Photo, other: Photo) -> bool:
    """Whether the other photo belongs in force instead, whichever came in first.

    A photo that a person moved to this student stays: only a person undoes that.
    """
    if in_force.shot.student_id != in_force.student_id or rule not in ("first_shot", "last_shot"):
        return False
    moments = [(photo.shot.shutter_at, photo.shot.capture_id) for photo in (in_force, other)]
    return moments[1] < moments[0] if rule == "first_shot" else moments[1] > moments[0]
