"""Billing's doors as people use them."""

from typing import Any
from uuid import UUID

import pytest

from tests.integration.billing.conftest import Billing
from tests.unit.billing import books

CID = str(books.CAMPAIGN)


@pytest.fixture
async def photographed(billing: Billing) -> Billing:
    """A class-pays campaign with two photographed heads in the first class."""
    roster = [*(books.registered(n) for n in range(3)), *(books.enrolled(n) for n in range(6))]
    await billing.hear(books.opened("class_epay"), *roster, books.accepted(0), books.accepted(3))
    return billing


def payment(heads: int, amount_fen: int, number: int = 1) -> dict[str, Any]:
    return {
        "payment_id": str(UUID(int=7000 + number)),
        "campaign_id": CID,
        "payer": {"kind": "class", "ref": str(books.CLASSES[0])},
        "method": "epay",
        "heads": heads,
        "amount_fen": amount_fen,
    }


async def test_class_pays_and_is_settled(photographed: Billing) -> None:
    """A class's way at the cashier: pay, settle, take the receipt, and the books agree."""
    paid = await photographed.ask("POST", "/v1/payments", payment(2, 3000))
    assert paid.status_code == 200, paid.text
    assert paid.json()["state"] == "settled"
    settled = await photographed.ask("POST", f"/v1/classes/{books.CLASSES[0]}/settle")
    assert settled.status_code == 200
    receipt = await photographed.ask("POST", f"/v1/campaigns/{CID}/receipts", {})
    assert receipt.json()["amount_fen"] == 3000
    found = (await photographed.ask("GET", f"/v1/campaigns/{CID}/reconciliation")).json()
    assert (found["photographed_heads"], found["paid_heads"], found["ledger_balance_fen"]) == (2, 2, 0)
    assert found["discrepancies"] == []
    ledger = (await photographed.ask("GET", f"/v1/campaigns/{CID}/ledger?limit=2")).json()
    assert [item["kind"] for item in ledger["items"]] == ["charge", "charge"]
    rest = (await photographed.ask("GET", f"/v1/campaigns/{CID}/ledger?after={ledger['next']}")).json()
    assert [item["kind"] for item in rest["items"]] == ["payment", "cover"]


async def test_wrong_amount_is_refused_in_clear_words(photographed: Billing) -> None:
    """The answer names heads, tariff, what was expected and what came, in both languages; nothing is recorded."""
    refused = await photographed.ask("POST", "/v1/payments", payment(2, 2500))
    assert refused.status_code == 422
    answer = refused.json()
    assert answer["code"] == "billing-amount-mismatch"
    assert "2 人 × 1500 分 = 3000 分" in answer["zh"]
    assert "3000 fen, but 2500 fen" in answer["en"]
    accounts = (await photographed.ask("GET", f"/v1/campaigns/{CID}/accounts")).json()["items"]
    assert [account["paid_fen"] for account in accounts] == [0]


async def test_settling_what_does_not_balance_is_refused_and_remembered(photographed: Billing) -> None:
    """The refusal tells the difference, and the difference stays on record."""
    await photographed.ask("POST", "/v1/payments", payment(1, 1500))
    refused = await photographed.ask("POST", f"/v1/classes/{books.CLASSES[0]}/settle")
    assert (refused.status_code, refused.json()["code"]) == (409, "billing-not-settled")
    found = (await photographed.ask("GET", f"/v1/campaigns/{CID}/reconciliation")).json()
    assert [(d["photographed_heads"], d["paid_heads"]) for d in found["discrepancies"]] == [(2, 1)]


@pytest.mark.parametrize(
    ("role", "scope", "status"),
    [
        ("cashier", {}, 200),
        ("cashier", {"campaign": [CID]}, 200),
        ("cashier", {"campaign": [str(UUID(int=99))]}, 403),
        ("cashier", {"class": [str(books.CLASSES[0])]}, 200),
        ("cashier", {"class": [str(books.CLASSES[1])]}, 403),
        ("cashier", {"college": ["药学院"]}, 403),
        ("class_contact", {}, 403),
        ("student", {}, 403),
    ],
)
async def test_only_who_may_takes_money(
    photographed: Billing, role: str, scope: dict[str, list[str]], status: int
) -> None:
    """Role and scope decide; out of scope is 403 and changes nothing."""
    answer = await photographed.ask("POST", "/v1/payments", payment(2, 3000), role=role, scope=scope)
    assert answer.status_code == status, answer.text
    accounts = (await photographed.ask("GET", f"/v1/campaigns/{CID}/accounts")).json()["items"]
    assert accounts[0]["paid_heads"] == (2 if status == 200 else 0)


async def test_class_contact_sees_own_class_only(photographed: Billing) -> None:
    """A list leaves out what lies outside of the asker's scope; the whole campaign's books are refused."""
    await photographed.hear(books.accepted(1))
    scope = {"class": [str(books.CLASSES[1])], "college": ["中医系"]}
    seen = await photographed.ask("GET", f"/v1/campaigns/{CID}/accounts", role="class_contact", scope=scope)
    assert [account["payer"]["ref"] for account in seen.json()["items"]] == [str(books.CLASSES[1])]
    whole = await photographed.ask("GET", f"/v1/campaigns/{CID}/reconciliation", role="class_contact", scope=scope)
    assert whole.status_code == 403


async def test_unsigned_request_is_refused(photographed: Billing) -> None:
    """No token, no answer."""
    assert (await photographed.client.get(f"/v1/campaigns/{CID}/accounts")).status_code == 401


async def test_college_prepays_with_vouchers(billing: Billing) -> None:
    """S2 over HTTP: pay by heads, take vouchers, lose one, hand back what is left."""
    await billing.hear(books.opened("prepaid_voucher"), *(books.registered(n) for n in range(3)), books.enrolled(2))
    payer = {"kind": "college", "ref": "药学院"}
    body = payment(4, 6000) | {"payer": payer, "method": "transfer"}
    assert (await billing.ask("POST", "/v1/payments", body)).status_code == 200
    wanted = {"payment_id": body["payment_id"], "payer": payer, "heads": 4}
    issued = await billing.ask("POST", f"/v1/campaigns/{CID}/vouchers", wanted)
    assert issued.status_code == 201, issued.text
    lost = issued.json()["items"][3]
    assert (await billing.ask("POST", f"/v1/vouchers/{lost['voucher_id']}/lost")).json()["state"] == "lost"
    await billing.hear(books.accepted(2))
    refund = {"refund_id": str(UUID(int=8000)), "campaign_id": CID, "payer": payer, "heads": 2, "amount_fen": 3000}
    done = await billing.ask("POST", "/v1/refunds", refund)
    assert done.status_code == 200, done.text
    assert (await billing.ask("POST", "/v1/refunds", refund)).status_code == 200
    account = done.json()
    assert account["vouchers"] == {"issued": 4, "redeemed": 1, "void": 2, "lost": 1, "outstanding": 0}
    assert (account["paid_heads"], account["photographed_heads"], account["state"]) == (1, 1, "settled")
