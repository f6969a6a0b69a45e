"""A person looks into the vault, for a reason that is recorded."""

from collections.abc import Sequence
from dataclasses import dataclass

from gradphoto_contracts import ids
from kit import errors
from services.roster.ports import Field, Reveal, Work


@dataclass(frozen=True)
class RevealFields:
    """Show these fields of a student unmasked, to this person, for this reason."""

    student_id: ids.StudentId
    fields: Sequence[Field]
    reason: str
    by: str
    role: str


async def reveal(work: Work, command: RevealFields) -> dict[str, str | None]:
    """Open fields of the vault; the look is recorded in the same transaction, or it does not happen."""
    record = await work.students.get(command.student_id)
    if record is None:
        raise errors.NotFound("roster-student-unknown")
    await work.reveals.add(
        Reveal(
            reveal_id=work.new_id(),
            at=work.now,
            by=command.by,
            role=command.role,
            student_id=command.student_id,
            campaign_id=record.campaign_id,
            fields=tuple(command.fields),
            reason=command.reason,
        )
    )
    sealed = {"name": record.name_sealed, "document_no": record.document_sealed, "phone": record.phone_sealed}
    return {field: _opened(work, command.student_id, field, sealed[field]) for field in command.fields}


def _opened(work: Work, student_id: ids.StudentId, field: Field, sealed: bytes | None) -> str | None:
    return None if sealed is None else work.vault.open(student_id, field, sealed)
