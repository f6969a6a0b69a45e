"""A station asks for its desk pack: it is told that nothing has changed, or what has, or all."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kit import errors
from services.capture import ports
from services.capture.domain import floor, packs, stations
from services.capture.handlers import stations as station_acts


@dataclass(frozen=True)
class Told:
    """What goes out, signed: exactly these bytes."""

    etag: str
    kind: packs.Kind
    content: bytes
    signature: str


async def desk_pack(
    work: ports.Work, station: stations.Station, held: packs.State | None, *, whole: bool
) -> Told | str:
    """The pack, or what has changed since the one that is held unless `whole`; the bare ETag when that is nothing."""
    desk = await station_acts.planned_desk(work, station)
    campaign = await work.floor.campaign(station.campaign_id)
    if campaign is None:
        raise errors.Unavailable("campaign-not-known-yet")
    students, head = await work.packs.students(campaign), await work.packs.head(campaign, desk)
    now = packs.state(students, head.digest, head.classes_digest, work.now)
    if held == now:
        return now.etag
    common = await _common(work, campaign, desk, head, now)
    if held is None or whole or not await work.packs.knows(campaign.campaign_id, held.students):
        entries = await work.packs.entries(campaign.campaign_id)
        return _told(work, now, "whole", {**common, "classes": head.classes}, entries)
    entries, changes = await _changes(work, campaign, head, held)
    return _told(work, now, "changes", {**common, **changes}, entries)


async def _changes(
    work: ports.Work, campaign: floor.Campaign, head: ports.Head, held: packs.State
) -> tuple[str, dict[str, Any]]:
    since = held.students.number
    classes = None if held.classes == head.classes_digest else head.classes
    gone = await work.packs.gone(campaign.campaign_id, since)
    entries = await work.packs.entries(campaign.campaign_id, since)
    return entries, {"base": held.etag, "classes": classes, "gone": gone}


async def _common(
    work: ports.Work, campaign: floor.Campaign, desk: floor.Desk, head: ports.Head, state: packs.State
) -> dict[str, Any]:
    place = await work.floor.place(desk.desk_id)
    return {
        "etag": state.etag,
        "version": state.students.number + head.number,
        "issued_at": _text(work.now),
        "expires_at": _text(work.now + timedelta(hours=campaign.desk_pack_hours)),
        "fresh_minutes": campaign.desk_pack_fresh_minutes,
        "upload_kbit_s": campaign.upload_kbit_s,
        "campaign_id": str(campaign.campaign_id),
        "identity_mode": campaign.identity_mode,
        "campaign_code_key": work.campaign_code_key(campaign.campaign_id),
        "photo": {
            "profile": campaign.profile,
            "retake_limit": campaign.retake_limit,
            "face_consent": campaign.face_consent,
            **campaign.seat,
        },
        "desk": {
            "desk_id": str(desk.desk_id),
            "code": desk.code,
            "group_code": desk.group_code,
            "campus_code": place.campus,
            "next_ticket": head.next_ticket,
        },
    }


def _told(work: ports.Work, state: packs.State, kind: packs.Kind, head: dict[str, Any], entries: str) -> Told:
    # The entries come from the database as JSON already: taking thousands of them apart would cost the most of it all.
    content = f'{json.dumps({"kind": kind, **head}, ensure_ascii=False)[:-1]}, "entries": {entries}}}'.encode()
    return Told(state.etag, kind, content, work.sign_pack(content))


def _text(moment: datetime) -> str:
    return moment.isoformat()
