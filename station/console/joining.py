"""Joining a hall from the page: where this desk listens for the others, and where they are looked for."""

import asyncio
import os
import re
import socket
from collections.abc import Callable

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from kit.errors import Conflict, Invalid
from station import settings
from station.console import admission, door

#: What stands between addresses that somebody types.
_BETWEEN = re.compile(r"[\s,;，；、]+")
_ADDRESS: TypeAdapter[str] = TypeAdapter(settings.HostPort)
_PORTS = 65536
#: Addresses outside of this machine by which the system tells which of its own it would use. Nothing is sent.
_OUTSIDE = ("10.255.255.255", "192.168.255.255", "172.31.255.255")


class Sharing(BaseModel):
    """How this desk shares queue and check-ins with the others of its hall, as typed; not `share`: it stands alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: bool
    listen: str = ""
    address: str = ""
    #: Addresses of other desks, apart from the server's list: blanks or commas between them.
    peers: str = ""


class Joined(BaseModel):
    """Done; with `restarting` the station starts anew, and the page finds it again by itself."""

    restarting: bool


class Known(BaseModel):
    """What is set, and this machine's own addresses to choose from."""

    hall: settings.HallSettings | None
    addresses: tuple[str, ...]
    port: int = int(settings.HallSettings().listen.rpartition(":")[2])


def router(
    desk: door.Desk, directory: settings.Directory, guard: admission.Admission, again: Callable[[], None]
) -> APIRouter:
    """The wizard's step for the hall."""
    doors = APIRouter(prefix="/console/setup", include_in_schema=False, dependencies=[Depends(guard.demand)])
    work = desk.agent.work

    def demand_idle() -> None:
        if work.desk.seated or work.desk.undecided or work.exposing:
            raise Conflict("console-setup-busy")

    @doors.get("/hall")
    async def known() -> Known:
        return Known(hall=directory.hall_settings(), addresses=own_addresses())

    @doors.post("/hall")
    async def join(body: Sharing) -> Joined:
        present, wanted = directory.hall_settings(), read(body)
        if wanted == present:
            return Joined(restarting=False)
        demand_idle()
        if wanted and (present is None or present.listen != wanted.listen):
            await asyncio.to_thread(demand_free, wanted.listen)
            demand_idle()  # somebody may have sat down meanwhile
        directory.save_hall(wanted)
        again()
        return Joined(restarting=True)

    return doors


def read(said: Sharing) -> settings.HallSettings | None:
    """The settings that were typed. Raises Invalid that names the first that is no address."""
    if not said.share:
        return None
    listen = _address("listen", said.listen, lowest=0)
    told = _address("address", said.address) if said.address.strip() else None
    peers = tuple(_address("peers", peer) for peer in _BETWEEN.split(said.peers) if peer)
    return settings.HallSettings(listen=listen, address=told, peers=peers)


def demand_free(listen: str) -> None:
    """Raise Invalid when this machine has no such address, or something else listens there."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            if os.name != "nt":  # there it would let two programs share a port
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(place)
    except (OSError, UnicodeError):
        own = "、".join(own_addresses()) or "—"
        raise Invalid("hall-listen-impossible", field="listen", listen=listen, own=own) from None


def own_addresses() -> tuple[str, ...]:
    """By which addresses the system would reach others, the likeliest first; none without a network."""
    found: dict[str, None] = {}
    for place in _OUTSIDE:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((place, 9))
            except OSError:
                continue
            found[probe.getsockname()[0]] = None
    return tuple(address for address in found if not address.startswith("127."))


def _address(field: str, typed: str, lowest: int = 1) -> str:
    try:
        address = _ADDRESS.validate_python(typed.translate(_NARROW))
    except ValidationError:
        raise Invalid("hall-address-invalid", field=field, value=typed.strip() or "—") from None
    if not lowest <= int(address.rpartition(":")[2]) < _PORTS:
        raise Invalid("hall-port-invalid", field=field, value=address)
    return address


#: What a Chinese input method makes of an address.
_NARROW = str.maketrans("：。．０１２３４５６７８９", ":..0123456789")
