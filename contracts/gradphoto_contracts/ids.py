"""Typed identifiers. All are UUIDs (version 7 where we make them), so that none says anything about a person."""

from typing import NewType
from uuid import UUID

EventId = NewType("EventId", UUID)

CampaignId = NewType("CampaignId", UUID)
CampusId = NewType("CampusId", UUID)
ClassId = NewType("ClassId", UUID)
StudentId = NewType("StudentId", UUID)
ImportId = NewType("ImportId", UUID)

PlanId = NewType("PlanId", UUID)
GroupId = NewType("GroupId", UUID)
DeskId = NewType("DeskId", UUID)
SlotId = NewType("SlotId", UUID)

StationId = NewType("StationId", UUID)
CheckinId = NewType("CheckinId", UUID)
CaptureId = NewType("CaptureId", UUID)
SessionId = NewType("SessionId", UUID)
DriftId = NewType("DriftId", UUID)

ChargeId = NewType("ChargeId", UUID)
PaymentId = NewType("PaymentId", UUID)
VoucherId = NewType("VoucherId", UUID)
ReceiptId = NewType("ReceiptId", UUID)
RefundId = NewType("RefundId", UUID)

BatchId = NewType("BatchId", UUID)
