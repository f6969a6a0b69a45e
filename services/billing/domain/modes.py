"""Fee modes: which money each takes, who pays, and when a difference is an error. A mode is added here."""

from typing import Literal

from gradphoto_contracts import billing
from gradphoto_contracts.policy import FeeMode

#: Which money each mode takes. On site no cash is taken in the e-payment mode, and nothing but cash in the cash mode.
METHODS: dict[FeeMode, tuple[billing.PaymentMethod, ...]] = {
    "cash_on_site": ("cash",),
    "prepaid_voucher": ("cash", "epay", "transfer"),
    "school_pays": ("epay", "transfer"),
    "class_epay": ("epay",),
}
PAYER_KINDS: dict[FeeMode, Literal["class", "college", "school"]] = {
    "cash_on_site": "class",
    "prepaid_voucher": "college",
    "school_pays": "school",
    "class_epay": "class",
}
#: In these modes money comes after the photos, by heads: a difference is an error as soon as money is there.
PAID_AFTERWARDS: tuple[FeeMode, ...] = ("school_pays", "class_epay")
