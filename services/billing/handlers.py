"""One function a message: load, decide, save, emit. Locks are taken in one order: campaign, students, accounts."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Literal
from uuid import UUID

from gradphoto_contracts import billing, capture, ids, roster
from gradphoto_contracts.billing import Payer
from gradphoto_contracts.envelope import Event
from kit import errors
from services.billing import domain
from services.billing.ports import Work

#: Vouchers matched in one go; the payer's account is locked meanwhile.
MATCH_LIMIT = 20_000

Change = tuple[domain.Charge | None, domain.Charge]


# Commands.


async def record_payment(work: Work, payment: domain.Payment) -> domain.Payment:
    """Take note of money that came in. The same payment again changes nothing.

    Raises:
        errors.NotFound: the campaign is not known here (yet).
        errors.Invalid: payer, method or amount do not fit the campaign's fee.
        errors.Conflict: the id belongs to another payment.
    """
    campaign = await _campaign(work, payment.campaign_id)
    if not await work.payments.add(payment):
        known = await work.payments.get(payment.payment_id)
        if known != payment:
            raise errors.Conflict("billing-payment-differs", payment_id=str(payment.payment_id))
        return payment
    domain.check_payment(campaign, payment)
    await _check_payer_known(work, payment.campaign_id, payment.payer)
    account, posting = (await work.accounts.lock(payment.campaign_id, payment.payer)).pay(payment)
    await work.ledger.add(payment.campaign_id, [posting])
    await work.events.add(
        billing.PaymentRecordedV1(
            version=1,
            payment_id=payment.payment_id,
            campaign_id=payment.campaign_id,
            payer=payment.payer,
            method=payment.method,
            heads=payment.heads,
            amount_fen=payment.amount_fen,
        )
    )
    await _close_books(work, campaign, account, payment.payment_id)
    return payment


async def issue_vouchers(
    work: Work, campaign_id: ids.CampaignId, payment_id: ids.PaymentId, payer: Payer, heads: int
) -> list[domain.Voucher]:
    """Give out vouchers until this payment has `heads` of them; asking again answers the same ones."""
    campaign = await _campaign(work, campaign_id)
    payment = await work.payments.get(payment_id)
    if payment is None or payment.campaign_id != campaign_id:
        raise errors.NotFound("billing-payment-unknown", payment_id=str(payment_id))
    account = await work.accounts.lock(campaign_id, payer)
    issued = await work.vouchers.of_payment(payment_id)
    missing = domain.check_issue(payment, payer, len(issued), heads)
    if missing and account.credit_fen < missing * campaign.amount_fen and not account.open_fen:
        raise errors.Conflict("billing-vouchers-refunded", heads=heads)
    numbers = await work.numbers.take(campaign_id, "voucher", missing)
    fresh = [_voucher(work, campaign, payment, number) for number in numbers]
    await work.vouchers.add(fresh)
    await work.events.add_all(voucher.said() for voucher in fresh)
    if fresh:
        await _close_books(work, campaign, account, payment_id)
    return await work.vouchers.of_payment(payment_id)


def _voucher(work: Work, campaign: domain.Campaign, payment: domain.Payment, number: int) -> domain.Voucher:
    return domain.Voucher(
        voucher_id=ids.VoucherId(work.new_id()),
        version=1,
        campaign_id=campaign.campaign_id,
        payer=payment.payer,
        payment_id=payment.payment_id,
        number=f"{campaign.code}-{number:05}",
        amount_fen=payment.amount_fen // payment.heads,
    )


async def retire_voucher(work: Work, voucher_id: ids.VoucherId, state: Literal["lost", "void"]) -> domain.Voucher:
    """A voucher is lost (丢失不补) or given up: its head stays paid for and can never be used. Once is enough."""
    seen = await work.vouchers.get(voucher_id)
    if seen is None:
        raise errors.NotFound("billing-voucher-unknown", voucher_id=str(voucher_id))
    campaign = await _campaign(work, seen.campaign_id)
    account = await work.accounts.lock(seen.campaign_id, seen.payer)
    voucher = await work.vouchers.get(voucher_id) or seen
    if voucher.state == state:
        return voucher
    retired = domain.retire(voucher, state)
    account, posting = account.forfeit(retired)
    await work.vouchers.save([retired])
    await work.ledger.add(campaign.campaign_id, [posting])
    await _close_books(work, campaign, account, voucher_id)
    return retired


async def refund(work: Work, refund: domain.Refund) -> domain.Refund:
    """Give unused money back; a college hands in as many unused vouchers. The same refund again changes nothing."""
    campaign = await _campaign(work, refund.campaign_id)
    domain.check_refund(campaign, refund)
    account = await work.accounts.lock(refund.campaign_id, refund.payer)
    if not await work.refunds.add(refund):
        if await work.refunds.get(refund.refund_id) != refund:
            raise errors.Conflict("billing-refund-differs", refund_id=str(refund.refund_id))
        return refund
    account, posting = account.repay(refund)
    await _take_vouchers_back(work, account, refund.heads)
    await work.ledger.add(refund.campaign_id, [posting])
    await work.events.add(
        billing.RefundRecordedV1(
            version=1,
            refund_id=refund.refund_id,
            campaign_id=refund.campaign_id,
            payer=refund.payer,
            heads=refund.heads,
            amount_fen=refund.amount_fen,
        )
    )
    await _close_books(work, campaign, account, refund.refund_id)
    return refund


async def _take_vouchers_back(work: Work, account: domain.Account, heads: int) -> None:
    """Void vouchers so that no more stand out than money is left for; heads paid without a voucher go first."""
    if account.payer.kind != "college":
        return
    free = await work.vouchers.outstanding(account.campaign_id, account.payer, MATCH_LIMIT)
    left, kept = account.credit_fen, 0
    for voucher in free:
        left -= voucher.amount_fen
        kept += left >= 0
    void = [domain.retire(voucher, "void") for voucher in free[kept:]]
    if len(void) > heads:
        raise errors.Conflict("billing-refund-exceeds-vouchers", heads=heads, vouchers=len(void))
    await work.vouchers.save(void)


async def settle_class(work: Work, class_id: ids.ClassId) -> domain.Account:
    """Ask for a class's account to be closed; the account of whoever pays for it. Already closed is closed.

    A difference is announced before this raises, so the caller must commit what was done and then refuse.
    """
    known = await work.classes.get(class_id)
    if known is None:
        raise errors.NotFound("billing-class-unknown", class_id=str(class_id))
    campaign = await _campaign(work, known.campaign_id)
    refs = {"class": str(class_id), "college": known.college_zh, "school": campaign.school_code}
    kind = domain.PAYER_KINDS[campaign.mode]
    account = await work.accounts.lock(known.campaign_id, Payer(kind=kind, ref=refs[kind]))
    return await _close_books(work, campaign, account, class_id, final=True)


async def write_receipt(
    work: Work, campaign_id: ids.CampaignId, payment_ids: Sequence[ids.PaymentId] | None
) -> domain.Receipt:
    """Write one receipt for these payments, or for all without one (S1). The same payments again: the same receipt."""
    await work.campaigns.hold(campaign_id)
    campaign = await _known(work, campaign_id)
    pending = {payment.payment_id: payment for payment in await work.payments.without_receipt(campaign_id)}
    wanted = list(dict.fromkeys(payment_ids)) if payment_ids is not None else list(pending)
    if not wanted:
        raise errors.Conflict("billing-nothing-to-receipt")
    if any(payment_id not in pending for payment_id in wanted):
        return await _written(work, campaign_id, wanted)
    number = (await work.numbers.take(campaign_id, "receipt", 1)).start
    receipt = domain.Receipt(
        receipt_id=ids.ReceiptId(work.new_id()),
        campaign_id=campaign_id,
        number=f"{campaign.code}-R{number:04}",
        payment_ids=tuple(wanted),
        amount_fen=sum(pending[payment_id].amount_fen for payment_id in wanted),
    )
    await work.receipts.add(receipt)
    fields = ("receipt_id", "campaign_id", "number", "payment_ids", "amount_fen")
    await work.events.add(billing.ReceiptIssuedV1(version=1, **{name: getattr(receipt, name) for name in fields}))
    return receipt


async def _written(work: Work, campaign_id: ids.CampaignId, wanted: list[ids.PaymentId]) -> domain.Receipt:
    for payment_id in wanted:
        payment = await work.payments.get(payment_id)
        if payment is None or payment.campaign_id != campaign_id:
            raise errors.NotFound("billing-payment-unknown", payment_id=str(payment_id))
    written = await work.receipts.covering(wanted)
    if len(written) == 1 and set(written[0].payment_ids) == set(wanted):
        return written[0]
    raise errors.Conflict("billing-already-receipted", number=", ".join(receipt.number for receipt in written))


async def reconcile(work: Work, campaign_id: ids.CampaignId) -> tuple[domain.Campaign, list[domain.Account], int]:
    """The campaign, all its accounts, and the sum of its ledger (zero)."""
    campaign = await _known(work, campaign_id)
    return campaign, await work.accounts.of(campaign_id), await work.ledger.balance_fen(campaign_id)


async def _campaign(work: Work, campaign_id: ids.CampaignId) -> domain.Campaign:
    await work.campaigns.share(campaign_id)
    return await _known(work, campaign_id)


async def _known(work: Work, campaign_id: ids.CampaignId) -> domain.Campaign:
    campaign = await work.campaigns.get(campaign_id)
    if campaign is None:
        raise errors.NotFound("billing-campaign-unknown", campaign_id=str(campaign_id))
    return campaign


async def _check_payer_known(work: Work, campaign_id: ids.CampaignId, payer: Payer) -> None:
    known = payer.kind == "school"
    if payer.kind == "college":
        known = await work.classes.college_exists(campaign_id, payer.ref)
    if payer.kind == "class":
        try:
            found = await work.classes.get(ids.ClassId(UUID(payer.ref)))
        except ValueError:
            found = None
        known = found is not None and found.campaign_id == campaign_id
    if not known:
        raise errors.Invalid("billing-payer-unknown", kind=payer.kind, ref=payer.ref)


# Books: from changed charges to accounts that are covered, judged and closed.


async def _rebill(work: Work, campaign_id: ids.CampaignId, students: Iterable[domain.Student], cause_id: UUID) -> None:
    """Bring the charges of these (locked) students to what the present facts say. Unknown campaign: later."""
    campaign = await work.campaigns.get(campaign_id)
    if campaign is None:
        return
    changes = [change for student in students if (change := await _change(work, campaign, student))]
    payers = {domain.payer_key(campaign_id, payer): payer for change in changes for payer in _payers(change)}
    accounts = {key: await work.accounts.lock(campaign_id, payers[key]) for key in sorted(payers)}
    for change in changes:
        await _post(work, accounts, change)
    for account in accounts.values():
        await _close_books(work, campaign, account, cause_id)


async def _change(work: Work, campaign: domain.Campaign, student: domain.Student) -> Change | None:
    photo = await work.photos.in_force(student.student_id)
    charge = await work.charges.get(campaign.campaign_id, student.student_id)
    if photo is None and charge is None:
        return None
    class_id = photo.class_id if photo and not student.version else student.class_id
    bill = domain.bill(campaign, class_id, await work.classes.get(class_id), photo)
    wanted = domain.adjust(charge, bill, student, work.new_id())
    return (charge, wanted) if wanted is not None and wanted != charge else None


def _payers(change: Change) -> list[Payer]:
    before, after = change
    return [charge.payer for charge in (before, after) if charge and charge.active]


async def _post(work: Work, accounts: dict[str, domain.Account], change: Change) -> None:
    before, after = change
    postings = []
    if before and before.active:
        key = domain.payer_key(before.campaign_id, before.payer)
        accounts[key], posting = accounts[key].forgive(before)
        postings.append(posting)
    if after.active:
        key = domain.payer_key(after.campaign_id, after.payer)
        accounts[key], posting = accounts[key].owe(after)
        postings.append(posting)
    await work.charges.save(after)
    await work.ledger.add(after.campaign_id, postings)
    await work.events.add(after.said())


async def _close_books(
    work: Work, campaign: domain.Campaign, account: domain.Account, cause_id: UUID, *, final: bool = False
) -> domain.Account:
    """Cover what is owed by what is paid, judge the (locked) account, store it, and tell what follows."""
    stood = account.settled
    by_vouchers_fen = await _match_vouchers(work, account) if account.payer.kind == "college" else 0
    account, posting = account.cover(by_vouchers_fen, cause_id)
    if posting:
        await work.ledger.add(account.campaign_id, [posting])
    account, discrepancy = account.judge(campaign.mode, final=final or campaign.closed)
    await work.accounts.save(account)
    if discrepancy:
        await work.events.add(discrepancy)
    if account.settled or stood:
        await _settle_classes(work, account)
    return account


async def _match_vouchers(work: Work, account: domain.Account) -> int:
    of = (account.campaign_id, account.payer)
    stale = await work.vouchers.stale(*of)
    if not stale and not await work.vouchers.outstanding(*of, 1):
        return 0
    uncovered = await work.charges.uncovered(*of, MATCH_LIMIT)
    outstanding = await work.vouchers.outstanding(*of, len(uncovered)) if uncovered else []
    changed = domain.match_vouchers(stale, outstanding, uncovered)
    await work.vouchers.save(changed)
    await work.events.add_all(voucher.said() for voucher in changed)
    return domain.worth([*stale, *outstanding], changed)


async def _settle_classes(work: Work, account: domain.Account) -> None:
    """Close the classes of a closed account; open them again when it is open again."""
    classes = await work.charges.by_class(account.campaign_id, account.payer) if account.settled else []
    class_ids = [heads.class_id for heads in classes]
    await work.settlements.reopen(account.campaign_id, account.payer, keep=class_ids)
    closed = await work.settlements.of(class_ids)
    for heads in classes:
        settlement = domain.settle(account, heads, closed.get(heads.class_id))
        if settlement:
            await work.settlements.save(settlement, account.payer)
            await work.events.add(settlement.said())


# Events.


async def on_campaign(work: Work, event: roster.CampaignOpenedV1 | roster.CampaignChangedV1) -> None:
    """Keep the fee; when it is new, bill again all who were photographed."""
    await work.campaigns.hold(event.campaign_id)
    before = await work.campaigns.get(event.campaign_id)
    campaign = domain.Campaign(
        campaign_id=event.campaign_id,
        version=event.version,
        code=event.code,
        school_code=event.school_code,
        mode=event.policy.fee.mode,
        amount_fen=event.policy.fee.amount_fen,
    )
    if not await work.campaigns.save(campaign):
        return
    terms = (campaign.mode, campaign.amount_fen, campaign.school_code)
    if before is None or (before.mode, before.amount_fen, before.school_code) != terms:
        students = await work.students.with_money(event.campaign_id, None)
        await _rebill(work, event.campaign_id, students, event.campaign_id)


async def on_campaign_closed(work: Work, event: roster.CampaignClosedV1) -> None:
    """From now on every difference is an error."""
    await work.campaigns.hold(event.campaign_id)
    await work.campaigns.close(event.campaign_id)
    campaign = await work.campaigns.get(event.campaign_id)
    if campaign is None:
        return
    for account in await work.accounts.of(event.campaign_id):
        locked = await work.accounts.lock(event.campaign_id, account.payer)
        await _close_books(work, campaign, locked, event.campaign_id)


async def on_class(work: Work, event: roster.ClassRegisteredV1 | roster.ClassChangedV1) -> None:
    """Keep the class; when its college is new, bill its photographed students again."""
    await work.campaigns.hold(event.campaign_id)
    before = await work.classes.get(event.class_id)
    known = domain.Class(event.class_id, event.campaign_id, event.version, event.college_zh, event.label)
    if await work.classes.save(known) and (before is None or before.college_zh != known.college_zh):
        students = await work.students.with_money(event.campaign_id, event.class_id)
        await _rebill(work, event.campaign_id, students, event.class_id)


async def on_student(
    work: Work, event: roster.StudentEnrolledV1 | roster.StudentChangedV1 | roster.StudentWithdrawnV1
) -> None:
    """Keep the student's class; a photographed head moves with its student. Who withdraws was still photographed."""
    await work.campaigns.share(event.campaign_id)
    student = domain.Student(event.student_id, event.campaign_id, event.class_id, event.version)
    if await work.students.save(student):
        await _rebill(work, event.campaign_id, [student], event.student_id)


async def on_photo(work: Work, event: capture.PhotoAcceptedV1 | capture.PhotoReboundV1) -> None:
    """A photo is this student's: the head is owed for."""
    photo = domain.Photo(
        event.capture_id, event.version, event.campaign_id, event.student_id, event.class_id, in_force=True
    )
    await _keep_photo(work, photo)


async def on_photo_withdrawn(work: Work, event: capture.PhotoWithdrawnV1) -> None:
    """A photo counts no more: nothing is owed for it."""
    photo = domain.Photo(
        event.capture_id, event.version, event.campaign_id, event.student_id, event.class_id, in_force=False
    )
    await _keep_photo(work, photo)


async def _keep_photo(work: Work, photo: domain.Photo) -> None:
    await work.campaigns.share(photo.campaign_id)
    before = await work.photos.get(photo.capture_id)
    if not await work.photos.save(photo):
        return
    owners = [before, photo] if before and before.student_id != photo.student_id else [photo]
    seen = [domain.Student(owner.student_id, owner.campaign_id, owner.class_id, version=0) for owner in owners]
    await _rebill(work, photo.campaign_id, await work.students.lock(seen), photo.capture_id)


HEARS: dict[type[Event], Callable[[Work, Any], Awaitable[None]]] = {
    roster.CampaignOpenedV1: on_campaign,
    roster.CampaignChangedV1: on_campaign,
    roster.CampaignClosedV1: on_campaign_closed,
    roster.ClassRegisteredV1: on_class,
    roster.ClassChangedV1: on_class,
    roster.StudentEnrolledV1: on_student,
    roster.StudentChangedV1: on_student,
    roster.StudentWithdrawnV1: on_student,
    capture.PhotoAcceptedV1: on_photo,
    capture.PhotoReboundV1: on_photo,
    capture.PhotoWithdrawnV1: on_photo_withdrawn,
}
