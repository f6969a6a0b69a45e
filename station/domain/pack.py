"""The desk pack: all that a desk knows of those who may come. Digests and ids; no name, no ID number."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from gradphoto_contracts import ids
from kit.errors import Refused
from station.domain import facts, signals

IdentityMode = Literal["capture_code", "id_card", "campus_card", "student_no"]

#: What the server's signature over a pack, or over its changes, is over.
SIGNED_AS = "gradphoto-desk-pack"


#: Why a pack that came is not taken; each has words.
REFUSALS = ("desk-pack-not-genuine", "desk-pack-unreadable", "desk-pack-foreign", "desk-pack-names", "desk-pack-older")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Photo(_Part):
    """The campaign's standard, how often a student may be retaken, and what makes it sure who was photographed.

    A pack from before these last were asked for leaves them out: then the operator's eye decides.
    """

    profile: str
    retake_limit: int
    #: The version of the text to which a student consents before faces are compared; empty: none is, ever.
    face_consent: str = ""
    seat_proof: facts.Proof = "called"
    change_over_s: float | None = None
    lingering_s: float | None = None

    @property
    def terms(self) -> signals.Terms:
        """What this campaign demands of a binding."""
        return signals.Terms(self.seat_proof, self.change_over_s, self.lingering_s)


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
    #: When the class's slots at this desk begin; none where any day will do.
    starts_at: tuple[datetime, ...] = ()


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


class _Head(_Part):
    """What a whole pack and its changes have in common. Fields that a newer server adds are not ours to refuse."""

    etag: str = ""
    version: int
    issued_at: datetime
    expires_at: datetime
    #: After so long without a word from the server the pack is old: the desk says so and goes on.
    fresh_minutes: int = 120
    #: How fast originals may go up; None: without limit.
    upload_kbit_s: int | None = None
    campaign_id: ids.CampaignId
    identity_mode: IdentityMode
    campaign_code_key: str
    photo: Photo
    desk: PackDesk
    entries: tuple[Entry, ...]


class Pack(_Head):
    """One version of the pack."""

    kind: Literal["whole"] = "whole"
    classes: tuple[PackClass, ...]

    def is_old(self, now: datetime, as_of: datetime) -> bool:
        """Whether the server has not been heard for longer than the campaign's policy likes."""
        return now - as_of > timedelta(minutes=self.fresh_minutes)

    def is_expired(self, now: datetime) -> bool:
        """Whether it was not renewed in time."""
        return self.expires_at < now

    def is_forgotten(self, now: datetime) -> bool:
        """Whether it has been expired for as long as it was good: a laptop left in a cupboard need know nobody."""
        return now - self.expires_at > self.expires_at - self.issued_at


class Changes(_Head):
    """What makes the pack `base` another one."""

    kind: Literal["changes"]
    base: str
    classes: tuple[PackClass, ...] | None = None
    gone: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Signed:
    """What the server sent, with its signature over exactly these bytes."""

    content: bytes
    signature: str


def demand_ours(told: Pack | Changes, campaign_id: ids.CampaignId, desk_id: ids.DeskId) -> None:
    """Raise Refused unless the pack was made for this campaign and this desk."""
    if (told.campaign_id, told.desk.desk_id) != (campaign_id, desk_id):
        raise Refused("desk-pack-foreign")


def demand_minimal(told: Pack | Changes) -> None:
    """Raise Refused for a pack that says more of people than the identity mode allows."""
    if told.identity_mode == "capture_code" and any(entry.name_masked for entry in told.entries):
        raise Refused("desk-pack-names")


def demand_newer(told: Pack | Changes, held: Pack | None) -> None:
    """Raise Refused for a pack of before the one that is held.

    After a backup was put back the server's versions begin lower again; its clock does not.
    """
    if held is not None and told.version < held.version and told.issued_at <= held.issued_at:
        raise Refused("desk-pack-older", version=told.version, held=held.version)


def changed(held: Pack, changes: Changes) -> Pack | None:
    """The pack after its changes, or None when they are those of another one. The entries keep their order."""
    if changes.base != held.etag:
        return None
    entries = {entry.student_id: entry for entry in held.entries}
    entries.update({entry.student_id: entry for entry in changes.entries})
    for student_id in changes.gone:
        entries.pop(ids.StudentId(student_id), None)
    head = {name: getattr(changes, name) for name in _Head.model_fields}
    classes = held.classes if changes.classes is None else changes.classes
    return Pack(**{**head, "entries": tuple(entries.values()), "classes": classes})
