"""The desk pack: all that a desk knows of those who may come. Digests and ids; no name, no ID number."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from gradphoto_contracts import ids

IdentityMode = Literal["capture_code", "id_card", "campus_card", "student_no"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Photo(_Part):
    """Against which standard this campaign's photos are held, and how often a student may be retaken."""

    profile: str
    retake_limit: int
    #: The version of the text to which a student consents before faces are compared; empty: none is, ever.
    face_consent: str = ""


class PackDesk(_Part):
    """The desk for which the pack was made."""

    desk_id: ids.DeskId
    code: str
    next_ticket: int = 1


class PackClass(_Part):
    """A class that is planned for this desk."""

    class_id: ids.ClassId
    label: str
    order_code: str | None = None


class Entry(_Part):
    """One who may come. `digest` is None until a code is registered."""

    student_id: ids.StudentId
    class_id: ids.ClassId | None = None
    digest: str | None = None
    ordinal: int | None = None
    eligible: bool = True
    photographed: bool = False
    #: `王*明`, where the campaign's identity mode allows a name at a desk; never in capture-code mode.
    name_masked: str | None = None


class Pack(_Part):
    """One version of the pack. Fields that a newer server adds are not ours to refuse."""

    version: int | str
    issued_at: datetime
    expires_at: datetime
    campaign_id: ids.CampaignId
    identity_mode: IdentityMode
    campaign_code_key: str
    photo: Photo
    desk: PackDesk
    classes: tuple[PackClass, ...]
    entries: tuple[Entry, ...]
