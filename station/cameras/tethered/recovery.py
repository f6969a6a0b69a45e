"""The loop that gets a camera back, whatever happened to it: one connection after another, for ever."""

import asyncio
import errno
from collections.abc import Callable

from kit import logs
from station import devices
from station.cameras.tethered.connection import Connection
from station.cameras.tethered.limits import Limits
from station.cameras.tethered.link import Driver, Link, Lost
from station.cameras.tethered.troubles import Troubles


async def keep_connected(driver: Driver, limits: Limits, told: Troubles, connect: Callable[[Link], Connection]) -> None:
    """Start a driving process, serve it until it is lost, pause, begin anew. Never returns.

    The pauses grow up to a limit, and are short again after a connection that gave a picture.
    """
    pauses = devices.pauses(limits.first_pause_s, limits.longest_pause_s)
    while True:
        told.watch.opening()
        if await _one(driver, told, connect):
            pauses = devices.pauses(limits.first_pause_s, limits.longest_pause_s)
        await asyncio.sleep(next(pauses))


async def _one(driver: Driver, told: Troubles, connect: Callable[[Link], Connection]) -> int:
    """One connection, or none if no process can be started; how many pictures it gave."""
    try:
        link = await Link.start(driver)
    except OSError as error:  # no process or no file is left to be had: the desk lives on, and tries again
        logs.get().warning("camera.driver-not-started", code=_name(error))
        told.tell("io")
        return 0
    connection = connect(link)
    try:
        await connection.serve()
    except Lost as lost:
        told.lost(lost, connection.frames)
    except OSError as error:
        # A full disk refuses the camera's own notes: what lies on the card is asked for at the next connection.
        logs.get().warning("camera.notes-failed", code=_name(error))
    finally:
        await connection.end()
    return connection.frames


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, "OSError")
