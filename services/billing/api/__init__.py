"""Billing's doors for people: payments, vouchers, refunds, receipts, accounts and the ledger."""

from fastapi import APIRouter

from services.billing.api import books, money, papers
from services.billing.ports import Unit


def router(unit: Unit) -> APIRouter:
    """All of billing's doors, under /v1."""
    whole = APIRouter(prefix="/v1")
    for part in (money, papers, books):
        whole.include_router(part.router(unit))
    return whole
