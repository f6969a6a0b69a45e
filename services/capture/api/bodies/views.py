"""Who looked."""

from datetime import datetime
from uuid import UUID

from services.capture import ports
from services.capture.api.bodies import shape


class Look(shape.Body):
    """That somebody opened a picture or people's words. `subject_id`: the capture, the student, or the dead station."""

    seq: int
    subject_id: UUID
    viewer: str
    role: str
    what: ports.What
    at: datetime
