"""Billing: charges, payments, vouchers, receipts, refunds and settlement, on a double-entry ledger."""
