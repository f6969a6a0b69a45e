"""What other services tell scheduler, drawn up."""

from datetime import timedelta
from uuid import UUID, uuid4

from gradphoto_contracts import billing, capture, ids, policy, roster
from tests.integration.scheduler.conftest import MORNING

CAMPAIGN = ids.CampaignId(UUID(int=1))
NORTH = ids.CampusId(UUID(int=2))


def class_id(number: int) -> ids.ClassId:
    return ids.ClassId(UUID(int=100 + number))


def student_id(number: int) -> ids.StudentId:
    return ids.StudentId(UUID(int=1000 + number))


def campaign(fee: policy.FeeMode = "cash_on_site", version: int = 1) -> roster.CampaignOpenedV1:
    return roster.CampaignOpenedV1(
        campaign_id=CAMPAIGN,
        version=version,
        code="2030",
        title_zh="某大学2030届",
        school_code="10999",
        graduation_year=2030,
        campuses=(roster.Campus(campus_id=NORTH, code="N", name_zh="北校区"),),
        policy=policy.Policy(
            identity_mode="capture_code",
            cohorts=(policy.Cohort(code="fresh", title_zh="应届", title_en="graduating"),),
            fee=policy.FeePolicy(mode=fee, amount_fen=1500),
            chsi=policy.ChsiPolicy(proofreading=policy.Window(opens_after_days=1, lasts_days=9), silence="no_effect"),
            makeup=policy.MakeupPolicy(mode="none"),
        ),
    )


def school_class(number: int, heads: int = 2, version: int = 1) -> roster.ClassChangedV1:
    return roster.ClassChangedV1(
        class_id=class_id(number),
        campaign_id=CAMPAIGN,
        campus_id=NORTH,
        college_zh="医学院",
        label=f"班{number}",
        headcount=heads,
        version=version,
    )


def student(number: int, in_class: int, *, eligible: bool = True, version: int = 1) -> roster.StudentEnrolledV1:
    return roster.StudentEnrolledV1(
        student_id=student_id(number),
        campaign_id=CAMPAIGN,
        class_id=class_id(in_class),
        campus_id=NORTH,
        cohort="fresh",
        eligible=eligible,
        ordinal=1,
        version=version,
    )


def withdrawn(number: int, in_class: int, version: int = 2) -> roster.StudentWithdrawnV1:
    return roster.StudentWithdrawnV1(
        student_id=student_id(number), campaign_id=CAMPAIGN, class_id=class_id(in_class), version=version
    )


def checkin(number: int, in_class: int) -> capture.CheckinRecordedV1:
    return capture.CheckinRecordedV1(
        checkin_id=ids.CheckinId(uuid4()),
        campaign_id=CAMPAIGN,
        student_id=student_id(number),
        class_id=class_id(in_class),
        desk_id=ids.DeskId(uuid4()),
        station_id=ids.StationId(uuid4()),
        ticket="A01-0001",
        checked_in_at=MORNING,
        version=1,
    )


def photo(number: int, in_class: int, capture_id: UUID | None = None, version: int = 2) -> capture.PhotoAcceptedV1:
    return capture.PhotoAcceptedV1(
        capture_id=ids.CaptureId(capture_id or uuid4()),
        campaign_id=CAMPAIGN,
        student_id=student_id(number),
        class_id=class_id(in_class),
        desk_id=ids.DeskId(uuid4()),
        version=version,
        photo_key=f"photos/{CAMPAIGN}/x.jpg",
        photo_sha256="0" * 64,
        profile="chsi",
        shutter_at=MORNING + timedelta(minutes=1),
    )


def photo_withdrawn(of: capture.PhotoAcceptedV1, version: int = 3) -> capture.PhotoWithdrawnV1:
    return capture.PhotoWithdrawnV1(
        capture_id=of.capture_id,
        campaign_id=CAMPAIGN,
        student_id=of.student_id,
        class_id=of.class_id,
        desk_id=of.desk_id,
        version=version,
        reason="x",
    )


def cash(in_class: int) -> billing.PaymentRecordedV1:
    return billing.PaymentRecordedV1(
        payment_id=ids.PaymentId(uuid4()),
        campaign_id=CAMPAIGN,
        payer=billing.Payer(kind="class", ref=str(class_id(in_class))),
        method="cash",
        heads=2,
        amount_fen=3000,
        version=1,
    )
