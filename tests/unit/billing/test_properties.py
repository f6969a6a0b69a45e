"""What holds whatever happens, in whatever order: Hypothesis plays histories against the handlers."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradphoto_contracts import ids
from gradphoto_contracts.envelope import Event
from gradphoto_contracts.policy import FeeMode
from kit import errors
from services.billing import handlers
from services.billing.domain import vouchers
from services.billing.handlers import issuing, paying
from tests.unit.billing import books

MODES: list[FeeMode] = ["cash_on_site", "prepaid_voucher", "school_pays", "class_epay"]
PLACES = st.integers(0, 5)


def _roster() -> list[Event]:
    return [*(books.registered(n) for n in range(3)), *(books.enrolled(n) for n in range(6))]


@st.composite
def _photo_histories(draw: st.DrawFn) -> list[Event]:
    """What capture may say of up to six photos: accepted, moved and withdrawn; each photo's versions in a chain."""
    events: list[Event] = []
    for photo in range(draw(st.integers(1, 6))):
        place = draw(PLACES)
        events.append(books.accepted(photo, place))
        for version in range(2, 2 + draw(st.integers(0, 2))):
            after = draw(PLACES)
            if draw(st.booleans()):
                events.append(books.rebound(photo, after, place, version=version))
                place = after
            else:
                events.append(books.withdrawn(photo, place, version=version))
                break
    return events


def _hear(store: books.Store, events: list[Any]) -> None:
    async def play() -> None:
        for event in events:
            await handlers.HEARS[type(event)](store.work(), event)

    asyncio.run(play())


def _pay(store: books.Store, mode: FeeMode, acts: list[tuple[str, int, int]]) -> None:
    """Play money acts; what is refused changes nothing, as a transaction that is rolled back."""

    async def play() -> None:
        for number, (act, place, heads) in enumerate(acts):
            payer = books.payer_of(mode, place)
            try:
                if act == "pay":
                    paid = books.payment(number, payer, heads, mode)
                    await paying.record_payment(store.work(), paid)
                    if mode == "prepaid_voucher":
                        await issuing.issue_vouchers(store.work(), books.CAMPAIGN, paid.payment_id, payer, heads)
                elif act == "refund" and _refundable(store, payer) >= heads:
                    await paying.refund(store.work(), books.refunded(number, payer, heads))
                elif act == "lose" and store.vouchers:
                    voucher = sorted(store.vouchers.values(), key=lambda v: v.number)[heads % len(store.vouchers)]
                    await issuing.retire_voucher(store.work(), voucher.voucher_id, "lost")
            except errors.Conflict:
                pass

    asyncio.run(play())


def _refundable(store: books.Store, payer: Any) -> int:
    return store.account(payer).credit_fen // books.TARIFF


MONEY = st.lists(
    st.tuples(st.sampled_from(["pay", "refund", "lose"]), st.integers(0, 2), st.integers(1, 3)), max_size=6
)


def _check(store: books.Store) -> None:
    assert sum(store.balances().values()) == 0
    for payer, account in store.accounts.items():
        owed = [charge.amount_fen for charge in store.charges.values() if charge.active and charge.payer == payer]
        assert (account.photographed_heads, account.owed_fen) == (len(owed), sum(owed))
        assert account.owed_fen == account.covered_fen + account.open_fen
        assert account.open_fen >= 0
        assert account.credit_fen >= 0
        balances, name = store.balances(), f"{payer.kind}:{payer.ref}"
        assert balances.get(f"receivable:{name}", 0) == account.open_fen
        assert -balances.get(f"deferred:{name}", 0) == account.credit_fen
        assert account.settled == (account.balanced and account.photographed_heads > 0)
    _check_vouchers(store)


def _check_vouchers(store: books.Store) -> None:
    vouchers = store.vouchers.values()
    states: dict[str, int] = dict.fromkeys(("outstanding", "redeemed", "void", "lost"), 0)
    for voucher in vouchers:
        states[voucher.state] += 1
        assert (voucher.student_id is not None) == (voucher.state == "redeemed")
    assert sum(states.values()) == store.numbers["voucher"]
    redeemers = [voucher.student_id for voucher in vouchers if voucher.student_id]
    assert len(redeemers) == len(set(redeemers))
    charged = {charge.student_id: charge.payer for charge in store.charges.values() if charge.active}
    assert all(charged.get(v.student_id) == v.payer for v in vouchers if v.student_id)
    waiting = {payer for student_id, payer in charged.items() if student_id not in redeemers}
    assert not any(v.payer in waiting for v in vouchers if v.state == "outstanding")


def _end_state(store: books.Store) -> dict[str, Any]:
    """All that must not depend on the order: balances, charges, accounts and counts of vouchers."""
    charges = {
        student_id: (charge.class_id, charge.payer, charge.amount_fen)
        for student_id, charge in store.charges.items()
        if charge.active
    }
    accounts = {
        payer: (
            account.photographed_heads,
            account.owed_fen,
            account.covered_fen,
            account.counted_heads,
            account.settled,
        )
        for payer, account in store.accounts.items()
        if account.owed_fen or account.paid_fen
    }
    standing = {class_id for class_id, (settlement, _) in store.settlements.items() if settlement.standing}
    vouchers = sorted((voucher.payer.ref, voucher.state) for voucher in store.vouchers.values())
    return {
        "balances": store.balances(),
        "charges": charges,
        "accounts": accounts,
        "standing": standing,
        "vouchers": vouchers,
    }


@pytest.mark.parametrize("mode", MODES)
@given(photos=_photo_histories(), money=MONEY, later=_photo_histories())
@settings(max_examples=40, deadline=None)
def test_books_always_agree(mode: FeeMode, photos: list[Event], money: list[Any], later: list[Event]) -> None:
    """The ledger balances; owed = covered + open; issued = used + void + lost + outstanding; one voucher a head."""
    store = books.Store()
    _hear(store, [books.opened(mode), *_roster(), *photos])
    _check(store)
    _pay(store, mode, money)
    _check(store)
    _hear(store, later)
    _check(store)


@pytest.mark.parametrize("mode", MODES)
@given(photos=_photo_histories(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_order_and_repetition_do_not_matter(mode: FeeMode, photos: list[Event], data: st.DataObject) -> None:
    """Events heard in any order, some twice, end in the same books as events heard once in order."""
    events = [books.opened(mode), *_roster(), books.registered(0, version=2, college_zh="药学院"), *photos]
    straight, crooked = books.Store(), books.Store()
    _hear(straight, events)
    repeats = data.draw(st.lists(st.sampled_from(events), max_size=4))
    _hear(crooked, data.draw(st.permutations(events + repeats)))
    assert _end_state(crooked) == _end_state(straight)


@pytest.mark.parametrize("mode", MODES)
@given(photos=_photo_histories(), data=st.data())
@settings(max_examples=30, deadline=None)
def test_money_before_or_after_photos_is_the_same(mode: FeeMode, photos: list[Event], data: st.DataObject) -> None:
    """Paying before, between or after the photos leads to the same books."""
    payments = [("pay", place, data.draw(st.integers(1, 3))) for place in range(3)]
    if mode == "school_pays":
        payments = payments[:1]
    before, after, between = books.Store(), books.Store(), books.Store()
    cut = data.draw(st.integers(0, len(photos)))
    for store, early in ((before, 0), (after, len(photos)), (between, cut)):
        _hear(store, [books.opened(mode), *_roster(), *photos[:early]])
        _pay(store, mode, payments)
        _hear(store, photos[early:])
    assert _end_state(before) == _end_state(after) == _end_state(between)


@given(
    spread=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    uncovered=st.integers(0, 12),
    stale=st.integers(0, 3),
)
def test_vouchers_are_matched_lowest_number_first(spread: list[int], uncovered: int, stale: int) -> None:
    """As many photos are covered as vouchers are free, and none is given to two."""
    payer = books.payer_of("prepaid_voucher", 0)
    paid = books.payment(1, payer, 20, "prepaid_voucher")
    total = sum(spread)
    made = [
        vouchers.Voucher(
            voucher_id=ids.VoucherId(UUID(int=n)), version=1, campaign_id=books.CAMPAIGN, payer=payer,
            payment_id=paid.payment_id, number=f"{n:05}", amount_fen=books.TARIFF,
        )
        for n in range(1, total + 1)
    ]  # fmt: skip
    gone = [replace(v, state="redeemed", student_id=books.STUDENTS[0]) for v in made[:stale]]
    students = [ids.StudentId(UUID(int=900 + n)) for n in range(uncovered)]
    changed = vouchers.match_vouchers(gone, made[stale:], students)
    taken = [voucher for voucher in changed if voucher.state == "redeemed"]
    assert len(taken) == min(total, uncovered)
    assert len({voucher.student_id for voucher in taken}) == len(taken)
    assert sorted(v.number for v in taken) == [v.number for v in made][: len(taken)]
