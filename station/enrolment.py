"""A computer becomes a desk's station. Apart from the agent: enrolling needs little of what a day's work needs."""

from uuid import UUID

from kit import clock as clocks
from station import server, settings, timekeeping
from station.cameras import choice

#: Who signs before the server has told the station who it is.
_NOBODY = UUID(int=0)


async def enrol(directory: settings.Directory, config: settings.Settings, url: str, code: str, camera: str) -> None:
    """Give the server this station's public key for its one-time code, and note which desk it serves."""
    choice.demand_known(camera)
    directory.make()
    clock = timekeeping.StationClock(clocks.clock_for(config), directory.skew)
    client = server.Server(url, _NOBODY, directory.private_pem(), clock)
    try:
        answer = await client.enrol(code, directory.public_pem())
    finally:
        await client.close()
    told = {name: answer[name] for name in settings.Enrolled.model_fields if name in answer}
    directory.save_enrolled(settings.Enrolled(**told, server=url, camera=camera))
