"""Stations are invited, enrolled, heard, lost and revoked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gradphoto_contracts import ids
from kit import errors
from services.capture import ports
from services.capture.domain import floor, stations
from services.capture.handlers import measures


@dataclass(frozen=True)
class InviteStation:
    """Let a computer serve this desk."""

    campaign_id: ids.CampaignId
    desk_id: ids.DeskId
    label: str


async def invite_station(work: ports.Work, command: InviteStation) -> tuple[stations.Station, str]:
    """Make a station and the one-time code that only this answer holds."""
    desk = await work.floor.desk(command.desk_id)
    if desk is None or desk.campaign_id != command.campaign_id:
        raise errors.NotFound("desk-not-planned")
    code = work.new_code()
    station = stations.Station(
        station_id=ids.StationId(work.new_id()),
        campaign_id=command.campaign_id,
        desk_id=command.desk_id,
        label=command.label,
        state="invited",
        code_index=work.code_index(code),
        code_expires_at=work.now + stations.CODE_LIFETIME,
        created_at=work.now,
    )
    await work.stations.add(station)
    return station, code


async def enrol_station(work: ports.Work, code: str, public_key_pem: str) -> tuple[stations.Station, floor.Desk]:
    """Take a station's key for its one-time code. The door has seen that the caller holds the private key."""
    station = await work.stations.by_code(work.code_index(code.strip().upper()))
    if station is None:
        raise errors.Refused("enrolment-code-unknown")
    if fault := stations.enrolment_fault(station, public_key_pem, work.now):
        raise errors.Refused(fault)
    desk = await planned_desk(work, station)
    enrolled, events = stations.enrol(station, public_key_pem)
    await work.stations.save(enrolled)
    await work.say(events)
    return enrolled, desk


async def note_heartbeat(work: ports.Work, station_id: ids.StationId, health: stations.Health) -> None:
    """Note that a station is alive and how it is."""
    station = await work.stations.get(station_id, lock=True)
    if station is None:
        raise errors.NotFound("station-not-known")
    seen, events = stations.hear(station, work.now)
    await work.stations.save(seen)
    await work.stations.note_health(station_id, health)
    await work.say(events)


async def mark_lost_stations(work: ports.Work, after_s: float) -> int:
    """Call those stations lost that were not heard for so many real seconds; how many there are."""
    silent = await work.stations.silent_for(after_s)
    for station in silent:
        lost, events = stations.lose(station)
        await work.stations.save(lost)
        await work.say(events)
    return len(silent)


async def revoke_station(work: ports.Work, station_id: ids.StationId) -> stations.Station:
    """Shut a station out; again is no fault."""
    station = await work.stations.get(station_id, lock=True)
    if station is None:
        raise errors.NotFound("station-not-known")
    revoked = stations.revoke(station)
    await work.stations.save(revoked)
    return revoked


async def planned_desk(work: ports.Work, station: stations.Station) -> floor.Desk:
    """The desk that a station serves."""
    desk = await work.floor.desk(station.desk_id)
    if desk is None:
        raise errors.Unavailable("desk-not-planned")
    return desk


async def show_fleet(work: ports.Work) -> None:
    """Show how each desk's station is, from the database: whichever process heard it, every one tells the same."""
    rows = await work.figures.fleet()
    # Of two stations of one desk the one heard last is shown.
    shown = {(row["campus"], row["desk"]): row for row in rows}
    for gauge, name in _SHOWN:
        gauge.clear()
        for (campus, desk), row in shown.items():
            if row.get(name) is not None:
                gauge.labels(campus=campus, desk=desk).set(row[name])
    _show_old_packs(shown, work.now)


_SHOWN = (
    (measures.ONLINE, "online"),
    (measures.BACKLOG, "backlog"),
    (measures.DISK, "disk_free_bytes"),
    (measures.SKEW, "skew_s"),
    (measures.PACK_AGE, "pack_age_s"),
)


def _show_old_packs(shown: Mapping[tuple[str, str], dict[str, Any]], now: datetime) -> None:
    """A station that is not heard cannot say how old its pack is: the silence is added to what it said last."""
    measures.PACK_OLD.clear()
    for (campus, desk), row in shown.items():
        if row.get("pack_age_s") is not None:
            age_s = row["pack_age_s"] + (now - row["last_seen_at"]).total_seconds()
            measures.PACK_OLD.labels(campus=campus, desk=desk).set(age_s > row["desk_pack_fresh_minutes"] * 60)


async def show_plan(work: ports.Work) -> None:
    """Show what the plan expects of each desk, so that dashboards can set it beside what is."""
    rows = await work.figures.plan()
    measures.PLANNED.clear()
    for row in rows:
        measures.PLANNED.labels(campus=row["campus"], desk=row["desk"]).set(row["planned_per_hour"])
