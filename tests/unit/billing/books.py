"""Billing's ports in memory, and a small school: two classes of one college, one of another."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from gradphoto_contracts import capture, ids, roster
from gradphoto_contracts.billing import Payer
from gradphoto_contracts.policy import ChsiPolicy, Cohort, FeeMode, FeePolicy, MakeupPolicy, Policy, Window
from kit import memory
from services.billing import ports
from services.billing.domain import accounts, charges, copies, ledger, modes, payments, settlements, vouchers

NOW = datetime(2026, 5, 1, 1, tzinfo=UTC)
CAMPAIGN = ids.CampaignId(UUID(int=1))
CAMPUS = ids.CampusId(UUID(int=2))
DESK = ids.DeskId(UUID(int=3))
CLASSES = [ids.ClassId(UUID(int=10 + n)) for n in range(3)]
COLLEGES = ["中医系", "中医系", "药学院"]
STUDENTS = [ids.StudentId(UUID(int=100 + n)) for n in range(6)]
SCHOOL = "10716"
TARIFF = 1500


def class_of(place: int) -> ids.ClassId:
    """Students 0, 3 are in the first class, 1, 4 in the second, 2, 5 in the third."""
    return CLASSES[place % 3]


class Store:
    """All ports at once, over dictionaries."""

    def __init__(self) -> None:
        self.campaigns: dict[Any, copies.Campaign] = {}
        self.closed: set[Any] = set()
        self.classes: dict[Any, copies.Class] = {}
        self.students: dict[Any, copies.Student] = {}
        self.photos: dict[Any, copies.Photo] = {}
        self.charges: dict[Any, charges.Charge] = {}
        self.accounts: dict[Payer, accounts.Account] = {}
        self.postings: list[ledger.Posting] = []
        self.payments: dict[Any, payments.Payment] = {}
        self.vouchers: dict[Any, vouchers.Voucher] = {}
        self.refunds: dict[Any, payments.Refund] = {}
        self.receipts: list[payments.Receipt] = []
        self.settlements: dict[Any, tuple[settlements.Settlement, Payer]] = {}
        self.numbers: Counter[str] = Counter()
        self.events = memory.MemoryEvents()
        self.inbox = memory.MemoryInbox()
        self._ids = iter(range(10_000, 10_000_000))

    def work(self) -> ports.Work:
        return ports.Work(
            campaigns=_Campaigns(self),
            classes=_Classes(self),
            students=_Students(self),
            photos=_Photos(self),
            charges=_Charges(self),
            accounts=_Accounts(self),
            ledger=_Ledger(self),
            payments=_Payments(self),
            vouchers=_Vouchers(self),
            refunds=_Refunds(self),
            receipts=_Receipts(self),
            settlements=_Settlements(self),
            numbers=_Numbers(self),
            events=self.events,
            inbox=self.inbox,
            now=NOW,
            new_id=lambda: UUID(int=next(self._ids)),
        )

    def balances(self) -> dict[str, int]:
        """What stands in each account of the ledger, zeros left out."""
        found: Counter[str] = Counter()
        for posting in self.postings:
            for entry in posting.entries:
                found[entry.account] += entry.amount_fen
        return {account: amount for account, amount in found.items() if amount}

    def account(self, payer: Payer) -> accounts.Account:
        return self.accounts.get(payer, accounts.Account(CAMPAIGN, payer))

    def said(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events.said if isinstance(event, kind)]


class _Port:
    def __init__(self, store: Store) -> None:
        self.s = store


def _newer(table: dict[Any, Any], key: Any, value: Any) -> bool:
    if key in table and table[key].version >= value.version:
        return False
    table[key] = value
    return True


class _Campaigns(_Port):
    async def share(self, campaign_id: ids.CampaignId) -> None:
        """One at a time here."""

    async def hold(self, campaign_id: ids.CampaignId) -> None:
        """One at a time here."""

    async def get(self, campaign_id: ids.CampaignId) -> copies.Campaign | None:
        found = self.s.campaigns.get(campaign_id)
        if found is None:
            return None
        return copies.Campaign(**{**vars(found), "closed": campaign_id in self.s.closed})

    async def save(self, campaign: copies.Campaign) -> bool:
        return _newer(self.s.campaigns, campaign.campaign_id, campaign)

    async def close(self, campaign_id: ids.CampaignId) -> None:
        self.s.closed.add(campaign_id)

    async def all(self) -> list[copies.Campaign]:
        return list(self.s.campaigns.values())


class _Classes(_Port):
    async def get(self, class_id: ids.ClassId) -> copies.Class | None:
        return self.s.classes.get(class_id)

    async def college_exists(self, campaign_id: ids.CampaignId, college_zh: str) -> bool:
        return any(known.college_zh == college_zh for known in self.s.classes.values())

    async def save(self, known: copies.Class) -> bool:
        return _newer(self.s.classes, known.class_id, known)


class _Students(_Port):
    async def lock(self, students: Iterable[copies.Student]) -> list[copies.Student]:
        return [
            self.s.students.setdefault(student.student_id, student)
            for student in sorted(students, key=lambda student: student.student_id)
        ]

    async def save(self, student: copies.Student) -> bool:
        return _newer(self.s.students, student.student_id, student)

    async def with_money(self, campaign_id: ids.CampaignId, class_id: ids.ClassId | None) -> list[copies.Student]:
        photographed = {photo.student_id for photo in self.s.photos.values()}
        return [s for s in self.s.students.values() if s.student_id in photographed and class_id in (None, s.class_id)]


class _Photos(_Port):
    async def keep(self, photo: copies.Photo) -> tuple[bool, copies.Photo | None]:
        before = self.s.photos.get(photo.capture_id)
        return _newer(self.s.photos, photo.capture_id, photo), before


class _Charges(_Port):
    async def standing(self, campaign_id: ids.CampaignId, student: copies.Student) -> charges.Standing:
        found = [p for p in self.s.photos.values() if p.student_id == student.student_id and p.in_force]
        photo = min(found, key=lambda photo: photo.capture_id, default=None)
        class_id = photo.class_id if photo and not student.version else student.class_id
        known = self.s.classes.get(class_id)
        charge = self.s.charges.get(student.student_id)
        return charges.Standing(class_id, photo is not None, known.college_zh if known else None, charge)

    async def save(self, charge: charges.Charge) -> None:
        self.s.charges[charge.student_id] = charge

    def _of(self, payer: Payer) -> list[charges.Charge]:
        return [charge for charge in self.s.charges.values() if charge.active and charge.payer == payer]

    async def uncovered(self, campaign_id: ids.CampaignId, payer: Payer, limit: int) -> list[ids.StudentId]:
        covered = {v.student_id for v in self.s.vouchers.values() if v.state == "redeemed" and v.payer == payer}
        return [charge.student_id for charge in self._of(payer) if charge.student_id not in covered][:limit]

    async def by_class(self, campaign_id: ids.CampaignId, payer: Payer) -> list[settlements.ClassHeads]:
        found: dict[Any, list[int]] = {}
        for charge in self._of(payer):
            found.setdefault(charge.class_id, []).append(charge.amount_fen)
        return [settlements.ClassHeads(class_id, len(fen), sum(fen)) for class_id, fen in found.items()]


class _Accounts(_Port):
    async def lock(self, campaign_id: ids.CampaignId, payer: Payer) -> accounts.Account:
        return self.s.accounts.setdefault(payer, accounts.Account(campaign_id, payer))

    async def save(self, account: accounts.Account) -> None:
        self.s.accounts[account.payer] = account

    async def of(self, campaign_id: ids.CampaignId) -> list[accounts.Account]:
        return list(self.s.accounts.values())


class _Ledger(_Port):
    async def add(self, campaign_id: ids.CampaignId, postings: Sequence[ledger.Posting]) -> None:
        self.s.postings.extend(postings)

    async def page(self, campaign_id: ids.CampaignId, after: int, limit: int) -> list[dict[str, Any]]:
        return [{"seq": n} for n, _ in enumerate(self.s.postings, start=1)][after : after + limit]

    async def balance_fen(self, campaign_id: ids.CampaignId) -> int:
        return sum(self.s.balances().values())

    async def by_account(self, campaign_id: ids.CampaignId) -> dict[str, int]:
        return self.s.balances()


class _Payments(_Port):
    async def add(self, payment: payments.Payment) -> bool:
        return self.s.payments.setdefault(payment.payment_id, payment) is payment

    async def get(self, payment_id: ids.PaymentId) -> payments.Payment | None:
        return self.s.payments.get(payment_id)

    async def without_receipt(self, campaign_id: ids.CampaignId) -> list[payments.Payment]:
        written = {payment_id for receipt in self.s.receipts for payment_id in receipt.payment_ids}
        return [payment for payment in self.s.payments.values() if payment.payment_id not in written]


class _Vouchers(_Port):
    async def get(self, voucher_id: ids.VoucherId) -> vouchers.Voucher | None:
        return self.s.vouchers.get(voucher_id)

    async def add(self, vouchers: Sequence[vouchers.Voucher]) -> None:
        await self.save(vouchers)

    async def save(self, vouchers: Sequence[vouchers.Voucher]) -> None:
        self.s.vouchers.update({voucher.voucher_id: voucher for voucher in vouchers})

    async def of_payment(self, payment_id: ids.PaymentId) -> list[vouchers.Voucher]:
        return [voucher for voucher in self.s.vouchers.values() if voucher.payment_id == payment_id]

    async def stale(self, campaign_id: ids.CampaignId, payer: Payer) -> list[vouchers.Voucher]:
        charged = {c.student_id for c in self.s.charges.values() if c.active and c.payer == payer}
        redeemed = [v for v in self.s.vouchers.values() if v.state == "redeemed" and v.payer == payer]
        return [voucher for voucher in redeemed if voucher.student_id not in charged]

    async def outstanding(self, campaign_id: ids.CampaignId, payer: Payer, limit: int) -> list[vouchers.Voucher]:
        free = [v for v in self.s.vouchers.values() if v.state == "outstanding" and v.payer == payer]
        return sorted(free, key=lambda voucher: voucher.number)[:limit]

    async def counts(self, campaign_id: ids.CampaignId) -> dict[tuple[Payer, vouchers.VoucherState], int]:
        return dict(Counter((voucher.payer, voucher.state) for voucher in self.s.vouchers.values()))


class _Refunds(_Port):
    async def add(self, refund: payments.Refund) -> bool:
        return self.s.refunds.setdefault(refund.refund_id, refund) is refund

    async def get(self, refund_id: ids.RefundId) -> payments.Refund | None:
        return self.s.refunds.get(refund_id)


class _Receipts(_Port):
    async def add(self, receipt: payments.Receipt) -> None:
        self.s.receipts.append(receipt)

    async def covering(self, payment_ids: Iterable[ids.PaymentId]) -> list[payments.Receipt]:
        wanted = set(payment_ids)
        return [receipt for receipt in self.s.receipts if wanted & set(receipt.payment_ids)]


class _Settlements(_Port):
    async def of(self, class_ids: Iterable[ids.ClassId]) -> dict[ids.ClassId, settlements.Settlement]:
        return {class_id: self.s.settlements[class_id][0] for class_id in class_ids if class_id in self.s.settlements}

    async def save(self, settlement: settlements.Settlement, payer: Payer) -> None:
        self.s.settlements[settlement.class_id] = (settlement, payer)

    async def reopen(self, campaign_id: ids.CampaignId, payer: Payer, keep: Sequence[ids.ClassId]) -> None:
        for class_id, (settlement, owner) in self.s.settlements.items():
            if owner == payer and class_id not in keep:
                opened = settlements.Settlement(**{**vars(settlement), "standing": False})
                self.s.settlements[class_id] = (opened, owner)


class _Numbers(_Port):
    async def take(self, campaign_id: ids.CampaignId, kind: str, count: int) -> range:
        self.s.numbers[kind] += count
        return range(self.s.numbers[kind] - count + 1, self.s.numbers[kind] + 1)


# What other services say.


def opened(mode: FeeMode, *, version: int = 1, amount_fen: int = TARIFF) -> roster.CampaignOpenedV1:
    window = Window(opens_after_days=40, lasts_days=30)
    policy = Policy(
        identity_mode="capture_code",
        cohorts=(Cohort(code="current", title_zh="应届", title_en="current"),),
        fee=FeePolicy(mode=mode, amount_fen=amount_fen),
        chsi=ChsiPolicy(proofreading=window, silence="deemed_correct"),
        makeup=MakeupPolicy(mode="none"),
    )
    return roster.CampaignOpenedV1(
        version=version,
        campaign_id=CAMPAIGN,
        code="sntcm-2018",
        title_zh="2018届",
        school_code=SCHOOL,
        graduation_year=2018,
        campuses=(),
        policy=policy,
    )


def registered(place: int, *, version: int = 1, college_zh: str | None = None) -> roster.ClassRegisteredV1:
    return roster.ClassRegisteredV1(
        version=version,
        class_id=CLASSES[place],
        campaign_id=CAMPAIGN,
        campus_id=CAMPUS,
        college_zh=college_zh or COLLEGES[place],
        label=f"班{place}",
        headcount=2,
    )


def enrolled(place: int, *, version: int = 1, class_id: ids.ClassId | None = None) -> roster.StudentEnrolledV1:
    return roster.StudentEnrolledV1(
        version=version,
        student_id=STUDENTS[place],
        campaign_id=CAMPAIGN,
        class_id=class_id or class_of(place),
        campus_id=CAMPUS,
        cohort="current",
        eligible=True,
        ordinal=1,
    )


def _photo(photo: int, place: int, version: int) -> dict[str, Any]:
    return {
        "version": version,
        "capture_id": ids.CaptureId(UUID(int=1000 + photo)),
        "campaign_id": CAMPAIGN,
        "student_id": STUDENTS[place],
        "class_id": class_of(place),
        "desk_id": DESK,
    }


def _picture() -> dict[str, Any]:
    return {"photo_key": f"photos/{CAMPAIGN}/{UUID(int=9)}.jpg", "photo_sha256": "0" * 64, "shutter_at": NOW}


def accepted(photo: int, place: int | None = None, *, version: int = 1) -> capture.PhotoAcceptedV1:
    student = photo if place is None else place
    return capture.PhotoAcceptedV1(**_photo(photo, student, version), **_picture(), profile="chsi-2017-99")


def rebound(photo: int, place: int, before: int, *, version: int) -> capture.PhotoReboundV1:
    previous = {"previous_student_id": STUDENTS[before], "previous_class_id": class_of(before)}
    return capture.PhotoReboundV1(**_photo(photo, place, version), **_picture(), **previous, reason="错位")


def withdrawn(photo: int, place: int, *, version: int) -> capture.PhotoWithdrawnV1:
    return capture.PhotoWithdrawnV1(**_photo(photo, place, version), reason="错位")


def payer_of(mode: FeeMode, place: int) -> Payer:
    """Who pays for the class at `place`."""
    kind = modes.PAYER_KINDS[mode]
    return Payer(kind=kind, ref={"class": str(CLASSES[place]), "college": COLLEGES[place], "school": SCHOOL}[kind])


def payment(number: int, payer: Payer, heads: int, mode: FeeMode, amount_fen: int | None = None) -> payments.Payment:
    amount = heads * TARIFF if amount_fen is None else amount_fen
    payment_id = ids.PaymentId(UUID(int=5000 + number))
    return payments.Payment(payment_id, CAMPAIGN, payer, modes.METHODS[mode][0], heads, amount)


def refunded(number: int, payer: Payer, heads: int) -> payments.Refund:
    return payments.Refund(ids.RefundId(UUID(int=6000 + number)), CAMPAIGN, payer, heads, heads * TARIFF)
