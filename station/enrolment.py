"""A computer becomes a desk's station. Apart from the agent: enrolling needs little of what a day's work needs."""

from uuid import UUID

from pydantic import ValidationError

from kit import clock as clocks
from station import server, settings, timekeeping
from station.cameras import choice as cameras
from station.printers import choice as printers
from station.readers import choice as readers

#: Who signs before the server has told the station who it is.
_NOBODY = UUID(int=0)


async def enrol(
    directory: settings.Directory, config: settings.Settings, url: str, code: str, chosen: settings.Devices
) -> None:
    """Give the server this station's public key for its one-time code, and note which desk it serves."""
    demand_known(chosen)
    directory.make()
    clock = timekeeping.StationClock(clocks.clock_for(config), directory.skew)
    plain_http = config.deployment == "embedded"
    client = server.Server(url, _NOBODY, directory.private_pem(), clock, plain_http=plain_http)
    try:
        answer = await client.enrol(code, directory.public_pem())
    finally:
        await client.close()
    told = {name: answer[name] for name in settings.Enrolled.model_fields if name in answer}
    try:
        enrolled = settings.Enrolled(**{**told, "server": url, **chosen.model_dump()})
    except ValidationError:
        raise server.NotOurServer from None
    directory.save_enrolled(enrolled)


def choose(directory: settings.Directory, changes: dict[str, str]) -> None:
    """Note other devices for a desk that is enrolled; those not named stay."""
    enrolled = directory.enrolled()
    changed = enrolled.model_copy(update=changes)
    demand_known(changed.devices)
    if changed != enrolled:
        directory.save_enrolled(changed)


def demand_known(chosen: settings.Devices) -> None:
    """Raise Invalid when a device goes by a name that nobody knows."""
    cameras.demand_known(chosen.camera)
    readers.demand_known(chosen.reader)
    printers.demand_known(chosen.printer)
