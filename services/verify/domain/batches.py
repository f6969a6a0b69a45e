"""Deliveries to CHSI."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from gradphoto_contracts import ids, verify
from services.verify.domain import copies, journey, moves


def deliver(case: journey.Case, capture_id: ids.CaptureId, campaign: copies.Campaign | None) -> journey.Step:
    """The photo left for CHSI in a batch."""
    after = replace(case, delivered_capture_id=capture_id)
    if case.capture_id == capture_id and case.state in ("photographed", "makeup_done"):
        after = replace(after, state="delivered")
    return moves.step(case, after, campaign)


@dataclass(frozen=True)
class Batch:
    """A delivery. `gathering`: its photos are chosen and no archive is known to be complete."""

    batch_id: ids.BatchId
    campaign_id: ids.CampaignId
    number: int
    state: Literal["gathering", "delivered"]
    photos: int = 0
    archive_key: str = ""
    archive_sha256: str = ""
    delivered_at: datetime | None = None

    def said(self) -> verify.BatchDeliveredV1:
        """The event that tells of the delivery."""
        if self.delivered_at is None:
            raise ValueError("only a delivered batch is told of")
        return verify.BatchDeliveredV1(
            version=1,
            batch_id=self.batch_id,
            campaign_id=self.campaign_id,
            number=self.number,
            photos=self.photos,
            archive_key=self.archive_key,
            archive_sha256=self.archive_sha256,
            delivered_at=self.delivered_at,
        )


def archive_key(campaign_id: ids.CampaignId, batch_id: ids.BatchId) -> str:
    """Where a batch's archive lies in the object store."""
    return f"batches/{campaign_id}/{batch_id}.zip"
