"""Charges: one a photographed head; raised, moved and reversed as the present facts say."""

from dataclasses import dataclass, replace
from uuid import UUID

from gradphoto_contracts import billing, ids
from gradphoto_contracts.billing import Payer
from services.billing.domain import copies, modes


@dataclass(frozen=True)
class Charge:
    """One student's head. At most one a campaign and student; it is reversed, moved and raised again, never deleted."""

    charge_id: ids.ChargeId
    version: int
    campaign_id: ids.CampaignId
    student_id: ids.StudentId
    class_id: ids.ClassId
    payer: Payer
    amount_fen: int
    active: bool

    def said(self) -> billing.ChargeRaisedV1:
        """The event that tells of this state."""
        return billing.ChargeRaisedV1(
            version=self.version,
            charge_id=self.charge_id,
            campaign_id=self.campaign_id,
            class_id=self.class_id,
            student_id=self.student_id,
            amount_fen=self.amount_fen,
            reversed=not self.active,
        )


@dataclass(frozen=True)
class Bill:
    """What a student's photo costs, and whom."""

    class_id: ids.ClassId
    payer: Payer
    amount_fen: int


@dataclass(frozen=True)
class Standing:
    """All that a student's bill follows from."""

    class_id: ids.ClassId
    #: A photo of the student is in force.
    photographed: bool
    #: The class's college, when roster has told of the class.
    college_zh: str | None
    charge: Charge | None


def bill(campaign: copies.Campaign, standing: Standing) -> Bill | None:
    """The bill of a student who stands so; None where nothing is owed, or nobody can be named yet."""
    if not standing.photographed:
        return None
    kind = modes.PAYER_KINDS[campaign.mode]
    if kind == "college" and standing.college_zh is None:
        return None
    refs = {"class": str(standing.class_id), "college": standing.college_zh or "", "school": campaign.school_code}
    return Bill(standing.class_id, Payer(kind=kind, ref=refs[kind]), campaign.amount_fen)


def adjust(charge: Charge | None, wanted: Bill | None, student: copies.Student, fresh_id: UUID) -> Charge | None:
    """The charge as it should be now: `charge` itself when it is so already."""
    if wanted is None:
        return replace(charge, active=False, version=charge.version + 1) if charge and charge.active else charge
    terms = {"class_id": wanted.class_id, "payer": wanted.payer, "amount_fen": wanted.amount_fen, "active": True}
    if charge is None:
        return Charge(
            charge_id=ids.ChargeId(fresh_id),
            version=1,
            campaign_id=student.campaign_id,
            student_id=student.student_id,
            class_id=wanted.class_id,
            payer=wanted.payer,
            amount_fen=wanted.amount_fen,
            active=True,
        )
    if all(getattr(charge, name) == value for name, value in terms.items()):
        return charge
    return replace(
        charge,
        version=charge.version + 1,
        class_id=wanted.class_id,
        payer=wanted.payer,
        amount_fen=wanted.amount_fen,
        active=True,
    )
