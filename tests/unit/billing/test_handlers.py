"""Billing as histories of commands and events, each mode as its notice tells it."""

import pytest

from gradphoto_contracts import billing
from gradphoto_contracts.billing import Payer
from gradphoto_contracts.envelope import Event
from gradphoto_contracts.policy import FeeMode
from kit import errors
from services.billing import handlers
from services.billing.domain import ledger
from services.billing.handlers import closing, issuing, paying, receipts
from tests.unit.billing import books


async def hear(store: books.Store, *events: Event) -> None:
    for event in events:
        await handlers.HEARS[type(event)](store.work(), event)


@pytest.fixture
async def store() -> books.Store:
    """The roster is known, the campaign is not."""
    store = books.Store()
    await hear(store, *(books.registered(n) for n in range(3)), *(books.enrolled(n) for n in range(6)))
    return store


async def opened(store: books.Store, mode: FeeMode) -> books.Store:
    await hear(store, books.opened(mode))
    return store


async def test_class_pays_after_it_is_done(store: books.Store) -> None:
    """S4: heads photographed are owed for; paying for exactly them settles the class."""
    await opened(store, "class_epay")
    await hear(store, books.accepted(0), books.accepted(3), books.accepted(1))
    payer = books.payer_of("class_epay", 0)
    assert store.account(payer).open_fen == 2 * books.TARIFF
    await paying.record_payment(store.work(), books.payment(1, payer, 2, "class_epay"))
    settled = store.said(billing.ClassSettledV1)
    assert [(event.class_id, event.heads, event.amount_fen) for event in settled] == [(books.CLASSES[0], 2, 3000)]
    assert not store.said(billing.DiscrepancyFoundV1)
    assert store.balances() == {
        "epay": 3000, "revenue": -4500, "receivable:class:" + str(books.CLASSES[1]): 1500,
    }  # fmt: skip


async def test_wrong_heads_are_found(store: books.Store) -> None:
    """A class that pays for more heads than were photographed is told at once, and a refund settles it."""
    await opened(store, "class_epay")
    await hear(store, books.accepted(0))
    payer = books.payer_of("class_epay", 0)
    await paying.record_payment(store.work(), books.payment(1, payer, 2, "class_epay"))
    (found,) = store.said(billing.DiscrepancyFoundV1)
    assert (found.photographed_heads, found.paid_heads, found.version) == (1, 2, 1)
    assert not store.said(billing.ClassSettledV1)
    await paying.refund(store.work(), books.refunded(1, payer, 1))
    assert store.account(payer).settled
    assert store.account(payer).found is None
    assert len(store.said(billing.RefundRecordedV1)) == len(store.said(billing.ClassSettledV1)) == 1


async def test_late_photo_opens_a_settled_class_again(store: books.Store) -> None:
    """A student who comes after the class has settled opens its account; the next payment closes it at new figures."""
    await opened(store, "class_epay")
    payer = books.payer_of("class_epay", 0)
    await hear(store, books.accepted(0))
    await paying.record_payment(store.work(), books.payment(1, payer, 1, "class_epay"))
    await hear(store, books.accepted(3))
    assert not store.account(payer).settled
    await paying.record_payment(store.work(), books.payment(2, payer, 1, "class_epay"))
    assert [(event.version, event.heads) for event in store.said(billing.ClassSettledV1)] == [(1, 1), (2, 2)]


async def test_cash_beforehand_is_no_discrepancy_until_asked(store: books.Store) -> None:
    """S1: a class may collect beforehand; heads that are still to come are not an error until somebody settles."""
    await opened(store, "cash_on_site")
    payer = books.payer_of("cash_on_site", 0)
    await paying.record_payment(store.work(), books.payment(1, payer, 2, "cash_on_site"))
    await hear(store, books.accepted(0))
    assert not store.said(billing.DiscrepancyFoundV1)
    account = await closing.settle_class(store.work(), books.CLASSES[0])
    assert not account.settled
    assert len(store.said(billing.DiscrepancyFoundV1)) == 1
    await hear(store, books.accepted(3))
    assert (await closing.settle_class(store.work(), books.CLASSES[0])).settled
    assert len(store.said(billing.ClassSettledV1)) == 1


async def test_closing_the_campaign_finds_what_is_open(store: books.Store) -> None:
    """When no more can come, money paid beforehand for absent students is a discrepancy."""
    await opened(store, "cash_on_site")
    payer = books.payer_of("cash_on_site", 0)
    await paying.record_payment(store.work(), books.payment(1, payer, 2, "cash_on_site"))
    from gradphoto_contracts import roster

    await hear(store, books.accepted(0), roster.CampaignClosedV1(version=9, campaign_id=books.CAMPAIGN))
    assert [event.paid_heads for event in store.said(billing.DiscrepancyFoundV1)] == [2]


async def test_voucher_is_used_once_and_set_free_again(store: books.Store) -> None:
    """S2: a photo of the college redeems one voucher; a withdrawn photo sets it free for the next."""
    await opened(store, "prepaid_voucher")
    payer = books.payer_of("prepaid_voucher", 0)
    paid = books.payment(1, payer, 2, "prepaid_voucher")
    await paying.record_payment(store.work(), paid)
    issued = await issuing.issue_vouchers(store.work(), books.CAMPAIGN, paid.payment_id, payer, 2)
    assert [voucher.number for voucher in issued] == ["sntcm-2018-00001", "sntcm-2018-00002"]
    again = await issuing.issue_vouchers(store.work(), books.CAMPAIGN, paid.payment_id, payer, 2)
    assert again == issued
    await hear(store, books.accepted(0), books.accepted(1), books.accepted(3))
    assert sorted(v.state for v in store.vouchers.values()) == ["redeemed", "redeemed"]
    assert store.account(payer).open_fen == books.TARIFF
    await hear(store, books.withdrawn(0, 0, version=2))
    assert {v.student_id for v in store.vouchers.values()} == {books.STUDENTS[1], books.STUDENTS[3]}
    account = store.account(payer)
    assert (account.open_fen, account.settled) == (0, True)
    assert {event.class_id for event in store.said(billing.ClassSettledV1)} == {books.CLASSES[0], books.CLASSES[1]}


async def test_vouchers_issued_late_cover_what_waits(store: books.Store) -> None:
    """Photos taken before the vouchers were recorded are covered when they are."""
    await opened(store, "prepaid_voucher")
    payer = books.payer_of("prepaid_voucher", 2)
    await hear(store, books.accepted(2))
    paid = books.payment(1, payer, 1, "prepaid_voucher")
    await paying.record_payment(store.work(), paid)
    assert store.account(payer).open_fen == books.TARIFF
    await issuing.issue_vouchers(store.work(), books.CAMPAIGN, paid.payment_id, payer, 1)
    assert store.account(payer).settled


async def test_lost_voucher_is_not_reissued(store: books.Store) -> None:
    """丢失不补: the head stays paid for and covers nobody; losing it twice is once; a used one cannot be lost."""
    await opened(store, "prepaid_voucher")
    payer = books.payer_of("prepaid_voucher", 2)
    paid = books.payment(1, payer, 2, "prepaid_voucher")
    await paying.record_payment(store.work(), paid)
    first, second = await issuing.issue_vouchers(store.work(), books.CAMPAIGN, paid.payment_id, payer, 2)
    await issuing.retire_voucher(store.work(), first.voucher_id, "lost")
    await issuing.retire_voucher(store.work(), first.voucher_id, "lost")
    await hear(store, books.accepted(2))
    account = store.account(payer)
    assert (account.counted_heads, account.credit_fen, account.settled) == (1, 0, True)
    assert store.balances()["forfeited"] == -books.TARIFF
    with pytest.raises(errors.Conflict, match="billing-refund-exceeds-credit"):
        await paying.refund(store.work(), books.refunded(1, payer, 1))
    with pytest.raises(errors.Conflict, match="billing-voucher-not-outstanding"):
        await issuing.retire_voucher(store.work(), second.voucher_id, "lost")


async def test_refund_takes_unused_vouchers_back(store: books.Store) -> None:
    """What is refunded can no longer be redeemed."""
    await opened(store, "prepaid_voucher")
    payer = books.payer_of("prepaid_voucher", 2)
    paid = books.payment(1, payer, 3, "prepaid_voucher")
    await paying.record_payment(store.work(), paid)
    await issuing.issue_vouchers(store.work(), books.CAMPAIGN, paid.payment_id, payer, 3)
    await hear(store, books.accepted(2))
    await paying.refund(store.work(), books.refunded(1, payer, 2))
    assert sorted(v.state for v in store.vouchers.values()) == ["redeemed", "void", "void"]
    assert store.account(payer).settled
    await hear(store, books.accepted(5))
    assert store.account(payer).open_fen == books.TARIFF


async def test_school_pays_one_bill(store: books.Store) -> None:
    """S3: one payment by heads photographed closes the school's account, and with it every class."""
    await opened(store, "school_pays")
    await hear(store, *(books.accepted(n) for n in range(5)))
    payer = Payer(kind="school", ref=books.SCHOOL)
    await paying.record_payment(store.work(), books.payment(1, payer, 5, "school_pays"))
    assert {(e.class_id, e.heads) for e in store.said(billing.ClassSettledV1)} == {
        (books.CLASSES[0], 2), (books.CLASSES[1], 2), (books.CLASSES[2], 1),
    }  # fmt: skip


async def test_photo_before_everything(store: books.Store) -> None:
    """A photo may come before its campaign, class and student: it is charged when they are known."""
    fresh = books.Store()
    await hear(fresh, books.accepted(0), books.accepted(2))
    assert not fresh.charges
    await hear(fresh, books.opened("prepaid_voucher"))
    assert not fresh.charges
    await hear(fresh, books.registered(0), books.registered(2), books.enrolled(0))
    assert {charge.payer.ref for charge in fresh.charges.values()} == {"中医系", "药学院"}


async def test_rebound_moves_the_charge(store: books.Store) -> None:
    """A photo that belongs to a student of another class is that class's to pay."""
    await opened(store, "class_epay")
    await hear(store, books.accepted(0), books.rebound(0, 1, 0, version=2))
    assert store.account(books.payer_of("class_epay", 0)).owed_fen == 0
    assert store.account(books.payer_of("class_epay", 1)).owed_fen == books.TARIFF
    assert [event.reversed for event in store.said(billing.ChargeRaisedV1)] == [False, True, False]


async def test_stale_event_changes_nothing(store: books.Store) -> None:
    """The acceptance that comes after the withdrawal of the same photo is old news."""
    await opened(store, "class_epay")
    await hear(store, books.withdrawn(0, 0, version=2), books.accepted(0, version=1))
    assert not store.charges


async def test_student_moves_class_with_the_head(store: books.Store) -> None:
    """A correction of the roster moves the photographed head to the right class."""
    await opened(store, "class_epay")
    await hear(store, books.accepted(0), books.enrolled(0, version=2, class_id=books.CLASSES[1]))
    assert store.account(books.payer_of("class_epay", 1)).photographed_heads == 1
    assert store.account(books.payer_of("class_epay", 0)).photographed_heads == 0


@pytest.mark.parametrize(
    ("mode", "kind", "ref", "amount_fen", "code"),
    [
        ("class_epay", "class", str(books.CLASSES[0]), 2999, "billing-amount-mismatch"),
        ("class_epay", "college", "中医系", 3000, "billing-payer-does-not-pay"),
        ("class_epay", "class", "not-an-id", 3000, "billing-payer-unknown"),
        ("prepaid_voucher", "college", "没有这个系", 3000, "billing-payer-unknown"),
        ("school_pays", "school", "99999", 3000, "billing-payer-unknown"),
    ],
)
async def test_money_that_does_not_fit_is_refused(
    store: books.Store, mode: FeeMode, kind: str, ref: str, amount_fen: int, code: str
) -> None:
    """Wrong payer, unknown payer, wrong amount: refused with a code."""
    await opened(store, mode)
    payer = Payer.model_validate({"kind": kind, "ref": ref})
    with pytest.raises(errors.Invalid, match=code):
        await paying.record_payment(store.work(), books.payment(1, payer, 2, mode, amount_fen))


async def test_method_of_another_mode_is_refused(store: books.Store) -> None:
    """Where the class pays electronically, no cash is taken (S4: 图像采集现场不收取现金)."""
    await opened(store, "class_epay")
    cash = books.payment(1, books.payer_of("class_epay", 0), 1, "cash_on_site")
    with pytest.raises(errors.Invalid, match="billing-method-not-taken"):
        await paying.record_payment(store.work(), cash)


async def test_payment_id_with_other_content_is_refused(store: books.Store) -> None:
    """One payment id is one payment: the same again is ignored, another under its id is refused."""
    await opened(store, "class_epay")
    payer = books.payer_of("class_epay", 0)
    await paying.record_payment(store.work(), books.payment(1, payer, 1, "class_epay"))
    await paying.record_payment(store.work(), books.payment(1, payer, 1, "class_epay"))
    assert store.account(payer).paid_heads == 1
    with pytest.raises(errors.Conflict, match="billing-payment-differs"):
        await paying.record_payment(store.work(), books.payment(1, payer, 2, "class_epay"))


async def test_receipts_are_cumulative(store: books.Store) -> None:
    """S1: one receipt stands for all payments that have none; no payment stands on two."""
    await opened(store, "cash_on_site")
    for number, place in enumerate((0, 1)):
        payer = books.payer_of("cash_on_site", place)
        await paying.record_payment(store.work(), books.payment(number, payer, 1, "cash_on_site"))
    receipt = await receipts.write_receipt(store.work(), books.CAMPAIGN, None)
    assert (receipt.number, receipt.amount_fen, len(receipt.payment_ids)) == ("sntcm-2018-R0001", 3000, 2)
    assert await receipts.write_receipt(store.work(), books.CAMPAIGN, receipt.payment_ids) == receipt
    with pytest.raises(errors.Conflict, match="billing-already-receipted"):
        await receipts.write_receipt(store.work(), books.CAMPAIGN, receipt.payment_ids[:1])
    with pytest.raises(errors.Conflict, match="billing-nothing-to-receipt"):
        await receipts.write_receipt(store.work(), books.CAMPAIGN, None)


def test_unbalanced_posting_cannot_be_made() -> None:
    """A posting whose entries do not sum to zero is a mistake of ours, found where it is made."""
    with pytest.raises(ledger.Unbalanced):
        ledger.Posting("charge", books.CAMPAIGN, (ledger.Entry("cash", 1),))
