"""Many at once: the same payment, the same voucher, the same event, and facts that cross each other on the way."""

import asyncio
import random
from collections import Counter
from uuid import UUID

import pytest
import sqlalchemy as sa

from gradphoto_contracts import billing as said
from gradphoto_contracts import capture, ids
from gradphoto_contracts.envelope import Event
from services.billing import store
from services.billing.handlers import issuing, paying
from tests.integration.billing.conftest import Billing, sealed
from tests.unit.billing import books


def roster() -> list[Event]:
    return [*(books.registered(n) for n in range(3)), *(books.enrolled(n) for n in range(6))]


def crowd(size: int, class_place: int) -> list[capture.PhotoAcceptedV1]:
    """Accepted photos of `size` students of one class whom roster has not told of."""
    photo = books.accepted(0).model_dump() | {"class_id": books.CLASSES[class_place]}
    numbered = [photo | {"capture_id": UUID(int=50_000 + n), "student_id": UUID(int=60_000 + n)} for n in range(size)]
    return [capture.PhotoAcceptedV1.model_validate(one) for one in numbered]


@pytest.mark.parametrize(("payment_ids", "expected"), [([1] * 20, 1), (list(range(20)), 20)], ids=["same", "control"])
async def test_one_payment_twenty_times_at_once(billing: Billing, payment_ids: list[int], expected: int) -> None:
    """The same payment is one, also when twenty requests race; twenty payments (the control) are twenty."""
    await billing.hear(books.opened("class_epay"), *roster())
    payer = books.payer_of("class_epay", 0)

    async def pay(number: int) -> None:
        async with billing.unit() as work:
            await paying.record_payment(work, books.payment(number, payer, 1, "class_epay"))

    await asyncio.gather(*map(pay, payment_ids))
    async with billing.unit() as work:
        (account,) = await work.accounts.of(books.CAMPAIGN)
    assert account.paid_heads == expected
    assert len(await billing.said(said.PaymentRecordedV1)) == expected


async def test_no_voucher_is_redeemed_twice(billing: Billing) -> None:
    """Thirty photos at once find ten vouchers: ten heads are covered by ten vouchers, twenty wait."""
    await billing.hear(books.opened("prepaid_voucher"), *roster())
    payer = books.payer_of("prepaid_voucher", 2)
    paid = books.payment(1, payer, 10, "prepaid_voucher")
    async with billing.unit() as work:
        await paying.record_payment(work, paid)
        await issuing.issue_vouchers(work, books.CAMPAIGN, paid.payment_id, payer, 10)
    await billing.hear_at_once(map(sealed, crowd(30, 2)))
    rows = await billing.rows(store.VOUCHERS)
    assert len({row.student_id for row in rows if row.state == "redeemed"}) == 10
    async with billing.unit() as work:
        (account,) = await work.accounts.of(books.CAMPAIGN)
    assert (account.photographed_heads, account.open_fen) == (30, 20 * books.TARIFF)
    events = await billing.said(said.VoucherRedeemedV1)
    assert len({event["voucher_id"] for event in events}) == len(events) == 10


async def test_database_refuses_a_head_with_two_vouchers(billing: Billing) -> None:
    """Negative control: code that gave one head two vouchers would be stopped by the index."""
    await billing.hear(books.opened("prepaid_voucher"), *roster())
    payer = books.payer_of("prepaid_voucher", 2)
    paid = books.payment(1, payer, 2, "prepaid_voucher")
    async with billing.unit() as work:
        await paying.record_payment(work, paid)
        await issuing.issue_vouchers(work, books.CAMPAIGN, paid.payment_id, payer, 2)
    update = store.VOUCHERS.update().values(state="redeemed", student_id=books.STUDENTS[0])
    async with billing.database.engine.connect() as tx:
        with pytest.raises(sa.exc.IntegrityError, match="uq_vouchers_redeemed"):
            await tx.execute(update)


async def test_same_event_many_times_at_once(billing: Billing) -> None:
    """One acceptance delivered ten times at the same moment is one charge, and is said once."""
    await billing.hear(books.opened("class_epay"), *roster())
    await billing.hear_at_once([sealed(books.accepted(0))] * 10)
    assert len(await billing.said(said.ChargeRaisedV1)) == 1


async def test_second_photo_of_a_student_is_not_charged(billing: Billing) -> None:
    """Two photos in force for one student, as rebinding in flight may show, are one head."""
    await billing.hear(books.opened("class_epay"), *roster())
    await billing.hear_at_once([sealed(books.accepted(n, 0)) for n in range(6)])
    async with billing.unit() as work:
        (account,) = await work.accounts.of(books.CAMPAIGN)
    assert account.photographed_heads == 1


@pytest.mark.parametrize("seed", range(3))
async def test_facts_that_cross_each_other(billing: Billing, seed: int) -> None:
    """Campaign, classes, students and photos arriving at once, some twice: every head is charged once, to its class."""
    photos = [books.accepted(n) for n in range(6)]
    moved = [books.rebound(0, 1, 0, version=2), books.withdrawn(1, 1, version=2), books.rebound(2, 0, 2, version=2)]
    envelopes = [sealed(event) for event in [books.opened("prepaid_voucher"), *roster(), *photos, *moved]]
    dice = random.Random(seed)
    envelopes += dice.sample(envelopes, 6)
    dice.shuffle(envelopes)
    await billing.hear_at_once(envelopes)
    charged = await billing.rows(store.CHARGES, store.CHARGES.c.active)
    assert Counter(row.payer_ref for row in charged) == {"中医系": 4, "药学院": 1}
    async with billing.unit() as work:
        accounts = {account.payer.ref: account for account in await work.accounts.of(books.CAMPAIGN)}
        assert await work.ledger.balance_fen(ids.CampaignId(books.CAMPAIGN)) == 0
        balances = await work.ledger.by_account(books.CAMPAIGN)
    assert {ref: account.photographed_heads for ref, account in accounts.items()} == {"中医系": 4, "药学院": 1}
    assert balances["receivable:college:中医系"] == 4 * books.TARIFF
