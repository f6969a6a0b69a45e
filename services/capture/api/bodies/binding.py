"""Whose a photo is: what is asked, and what came of it."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.capture.api.bodies import shape
from services.capture.domain import photos


class Rebinding(shape.Body):
    """`from_student_id` is whose the photo is as far as who asks knows: when it is another's, nothing is moved."""

    student_id: UUID
    from_student_id: UUID
    reason: shape.Reason


class Move(shape.Body):
    """A photo, whose it is to be, and whose it is now as far as who asks knows."""

    capture_id: UUID
    student_id: UUID
    from_student_id: UUID


class Moved(shape.Body):
    """Where a photo went."""

    capture_id: UUID
    student_id: UUID


class Rebindings(shape.Body):
    """Photos that change students together: neighbours that were swapped, a range that was shifted."""

    moves: Annotated[list[Move], Field(min_length=1, max_length=2000)]
    reason: shape.Reason


class Reinstatement(shape.Body):
    """Why a photo is put in force again; `student_id` is whose it is then, where not whose it was."""

    student_id: UUID | None = None
    reason: shape.Reason


class Withdrawal(shape.Body):
    """Why a photo is withdrawn, or inspected again."""

    reason: shape.Reason


class Bound(shape.Body):
    """Whose a photo is now."""

    capture_id: UUID
    state: photos.State
    student_id: UUID | None
    version: int
