"""Faults of rows, put into words: what is wrong and what to do, in both languages."""

from collections.abc import Sequence

from pydantic import BaseModel

from kit import messages
from services.roster.domain import sheets


class FaultAnswer(BaseModel):
    """One fault: where in the sheet, what stands there (masked if personal), what is wrong, what to do."""

    row: int
    column: str
    value: str
    code: str
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str


def worded(fault: sheets.Fault) -> FaultAnswer:
    """The words of a fault. Each code has a second entry in the catalogue, `<code>-remedy`."""
    zh, en = messages.render(fault.code, fault.params)
    remedy_zh, remedy_en = messages.render(f"{fault.code}-remedy", fault.params)
    return FaultAnswer(
        row=fault.row,
        column=fault.column,
        value=fault.value,
        code=fault.code,
        zh=zh,
        en=en,
        remedy_zh=remedy_zh,
        remedy_en=remedy_en,
    )


def sorted_out(faults: Sequence[sheets.Fault]) -> tuple[list[FaultAnswer], list[FaultAnswer]]:
    """(errors, warnings), in words."""
    return (
        [worded(fault) for fault in faults if not fault.warning],
        [worded(fault) for fault in faults if fault.warning],
    )
