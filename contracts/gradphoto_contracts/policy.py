"""A campaign's policy: the one document that says how this school does it. Roster owns it; each service reads its part.

The five notices of the field are five such documents; a sixth school must need no code.
"""

from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from gradphoto_contracts.envelope import Value
from gradphoto_contracts.money import AmountFen

#: How a student is known at the desk. `capture_code` (学信网图像采集码) is the rule since 2023 (教学服〔2022〕10号).
IdentityMode = Literal["capture_code", "id_card", "campus_card", "student_no"]

#: Who pays, and when. cash_on_site: the class hands cash to the crew, a class that collected beforehand goes first.
#: prepaid_voucher: the secretary pays by heads beforehand and gets one 拍照凭证 a head. school_pays: the school, by
#: heads photographed, at the end. class_epay: the class pays electronically after it is done, by heads photographed.
FeeMode = Literal["cash_on_site", "prepaid_voucher", "school_pays", "class_epay"]

#: What silence means when the proofreading window has closed: deemed correct, or of no effect until confirmed.
SilenceRule = Literal["deemed_correct", "no_effect"]


#: Of two photos of one student, taken at two desks, which is in force: the one that came in first (whatever was
#: delivered stays), the one that was shot first or last (whichever comes in when), or whichever a person names.
DoubleRule = Literal["first_received", "first_shot", "last_shot", "person"]


class Cohort(Value):
    """A kind of student that the notice treats by itself (应届, 延期, 五年制, 留学生 …)."""

    code: str
    title_zh: str
    title_en: str
    eligible: bool = True
    #: Why a member is not photographed here, shown to the registrar.
    reason_zh: str = ""
    reason_en: str = ""


class PhotoPolicy(Value):
    """The photo standard's profile, and this school's dress rules as it printed them."""

    profile: str = "chsi-2017-99"
    backdrop: Literal["blue", "white", "grey"] = "blue"
    retake_limit: int = Field(default=3, ge=0, le=10)
    #: Before a photo is kept the number must be shown at the seat (slip or code scanned, or read out and picked);
    #: `called`: the operator's look at it is enough.
    seat_proof: Literal["shown", "called"] = "shown"
    #: A frame sooner than this after another student's is asked about, and one so long after the number was shown.
    change_over_s: float | None = Field(default=2.0, ge=0, le=60)
    lingering_s: float | None = Field(default=180.0, ge=10, le=3600)
    double_rule: DoubleRule = "first_received"
    dress_rules_zh: tuple[str, ...] = ()
    #: The version of the text to which a student consents before faces are compared at the desk; empty: none is, ever.
    face_consent: str = Field(default="", pattern=r"^[0-9a-z.]{0,12}$")


class FeePolicy(Value):
    """The tariff: one amount a head, and the mode."""

    mode: FeeMode
    amount_fen: AmountFen
    covers_zh: str = ""
    basis: str = ""


class Window(Value):
    """A span of whole days in Asia/Shanghai: fixed by dates, or counted from the day of capture.

    `opens_on`..`closes_on` are both inclusive: it closes at the end of its last day.
    """

    opens_on: date | None = None
    closes_on: date | None = None
    opens_after_days: int | None = Field(default=None, ge=0)
    lasts_days: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        fixed = self.opens_on is not None and self.closes_on is not None
        counted = self.opens_after_days is not None and self.lasts_days is not None
        if fixed == counted:
            raise ValueError("a window has either opens_on and closes_on, or opens_after_days and lasts_days")
        if self.opens_on and self.closes_on and self.closes_on < self.opens_on:
            raise ValueError("a window cannot close before it opens")
        return self


class ChsiPolicy(Value):
    """学信网图像校对: when students proofread, when errors are taken, and what silence means."""

    proofreading: Window
    #: When errors found are taken by the school; None: while proofreading is open.
    reporting: Window | None = None
    silence: SilenceRule
    #: A student can proofread once only (S2): a second answer is refused.
    one_chance: bool = False
    #: A reported error must show corrected after this many days (S2: a week), else it goes to the college.
    recheck_after_days: int = Field(default=7, ge=1)
    #: The pictures are expected at CHSI within this many days after capture.
    publish_within_days: int = Field(default=60, ge=1)
    #: A deadline is announced this many days before it passes.
    near_days: int = Field(default=3, ge=1)


class MakeupPolicy(Value):
    """补拍: whether the missed get another chance, where, and with what paper."""

    mode: Literal["branch", "session", "self_shoot", "none"]
    places_zh: tuple[str, ...] = ()
    window: Window | None = None
    papers_zh: tuple[str, ...] = ()
    paid_at_place: bool = True


class RetentionPolicy(Value):
    """How long pictures are kept after CHSI has confirmed them, and desk packs after the server was last reached."""

    photo_days: int = Field(default=180, ge=1)
    #: So long after its last renewal a desk pack expires: the desk says so and goes on.
    desk_pack_hours: int = Field(default=72, ge=1)
    #: A desk that has not reached the server for so long says that its pack is old, and goes on.
    desk_pack_fresh_minutes: int = Field(default=120, ge=1)


class DeskPolicy(Value):
    """What a desk may take of a hall."""

    #: Originals go up no faster than this many kbit/s a desk; None: as fast as the line is.
    upload_kbit_s: int | None = Field(default=None, ge=64)


class Policy(Value):
    """All that a campaign decides."""

    identity_mode: IdentityMode
    cohorts: tuple[Cohort, ...] = Field(min_length=1)
    photo: PhotoPolicy = PhotoPolicy()
    fee: FeePolicy
    chsi: ChsiPolicy
    makeup: MakeupPolicy
    retention: RetentionPolicy = RetentionPolicy()
    desk: DeskPolicy = DeskPolicy()
