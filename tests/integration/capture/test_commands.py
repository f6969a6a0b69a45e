"""`gradphoto audit` and `gradphoto station list` at a real capture service."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from cli import app as command_line
from services.capture.domain import photos, stations
from services.capture.handlers import audit, desk
from services.capture.handlers import stations as station_acts
from services.capture.store import images
from tests.integration.capture.conftest import Capture
from tests.integration.capture.served import Served, serving


@pytest.fixture
async def served(capture: Capture) -> AsyncIterator[Served]:
    """Capture over HTTP, with its auditor at work beside."""
    auditing = asyncio.create_task(audit.audit_all(capture.unit, capture.objects, images.Inspector(1)))
    async with serving(capture) as door:
        yield door
    auditing.cancel()
    await asyncio.wait({auditing})


async def command(served: Served, role: str, *line: str) -> Result:
    """Run the command line as a person with this role."""
    door = served.door(role)
    whole = [*line, "--server", door.url, "--token", door.token]
    return await asyncio.to_thread(CliRunner().invoke, command_line.build([line[0]]), whole)


async def test_the_audit_command_ends_with_one_when_something_is_wrong(served: Served, capture: Capture) -> None:
    """A sound store: status 0; an object gone: status 1, named with its capture in the table and in JSON."""
    shot = await capture.shoot(await capture.enrol_student())
    await desk.receive_capture(capture.unit, capture.objects, shot)
    sound = await command(served, "auditor", "audit", "--no-decode")
    assert sound.exit_code == 0, sound.output
    key = photos.original_key(shot.campaign_id, shot.sha256)
    await capture.objects._do(lambda: capture.objects._remove(key))
    told = await command(served, "auditor", "audit", "--no-decode")
    assert told.exit_code == 1
    assert key in told.output
    assert str(shot.capture_id) in told.output
    assert "no picture decoded" in told.output
    assert "3600 s" in told.output
    as_json = await command(served, "auditor", "audit", "--no-decode", "--json")
    assert as_json.exit_code == 1
    # The auditor works in this very process: its log is on the same stdout, before the report.
    report, elsewhere = json.loads(as_json.stdout[as_json.stdout.index("[\n") :])
    assert (UUID(elsewhere["campaign_id"]).int, elsewhere["sound"]) == (0, True)
    assert (report["sound"], report["checked"], report["found"]["missing"]) == (False, 1, 1)
    assert [(one["kind"], one["object_key"]) for one in report["findings"]] == [("missing", key)]
    refused = await command(served, "cashier", "audit")
    assert refused.exit_code == 1
    assert "cashier" in refused.output


async def test_the_fleet_is_one_table(served: Served, capture: Capture) -> None:
    """Each station with what it said of itself last; one that was never heard has dashes."""
    async with capture.unit() as work:
        invited = station_acts.InviteStation(capture.campaign_id, capture.desk_id, "laptop 1")
        station, code = await station_acts.invite_station(work, invited)
        await station_acts.enrol_station(work, code, "key")
        await station_acts.invite_station(work, station_acts.InviteStation(capture.campaign_id, capture.desk_id, "2"))
    health = stations.Health(backlog=7, disk_free_bytes=90_000_000_000, camera="V1", skew_s=-1.5, pack_age_s=120)
    async with capture.unit() as work:
        await station_acts.note_heartbeat(work, station.station_id, health)
    listed = await command(served, "ops", "station", "list", "--json")
    assert listed.exit_code == 0, listed.output
    by_label = {one["label"]: one for one in json.loads(listed.stdout)}
    assert (by_label["laptop 1"]["online"], by_label["laptop 1"]["backlog"]) == (True, 7)
    assert by_label["2"]["state"] == "invited"
    assert (await command(served, "ops", "station", "list")).exit_code == 0
