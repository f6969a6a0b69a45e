"""A capture that serves several desks of one hall, and says who belongs to it."""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request, Response

from kit import auth, errors, ids
from station.hall import roster
from tests.integration.station.fake_capture import Capture


@dataclass
class Served:
    """A station of the hall."""

    code: str
    public_pem: str
    desk_id: UUID = field(default_factory=ids.new)
    address: str | None = None


@dataclass
class HallCapture(Capture):
    """Desks get the codes A, B, C … in the order in which they enrol."""

    served: dict[UUID, Served] = field(default_factory=dict)
    #: What was told with each check-in of how the hall agreed to it, as often as it was told.
    grants: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def app(self) -> FastAPI:
        """The doors, with the hall's list."""
        doors = super().app()
        doors.get("/v1/hall")(self._hall)
        return doors

    def key_of(self, token: str) -> str:
        """Each station has its own."""
        with suppress(errors.Unauthenticated):
            station = self.served.get(auth.station_id(token))
            return station.public_pem if station else ""
        return ""

    def code_of(self, request: Request) -> str:
        """The desk that asks."""
        return self.served[auth.station_id(auth.station_token(request.headers["authorization"]))].code

    async def _enrol(self, request: Request) -> dict[str, Any]:
        self.public_pem = (await request.json())["public_key_pem"]
        station_id, code = ids.new(), "ABCDEFG"[len(self.served)]
        self.served[station_id] = Served(code, self.public_pem)
        answer = await super()._enrol(request)
        return {**answer, "station_id": str(station_id), "desk_code": code, "group_code": "H"}

    def pack_of(self, request: Request) -> dict[str, Any]:
        """The pack of the desk that asks."""
        pack = super().pack()
        return {**pack, "desk": {**pack["desk"], "code": self.code_of(request)}}

    async def _heartbeat(self, request: Request) -> dict[str, Any]:
        told = await request.json()
        station = self.served[auth.station_id(auth.station_token(request.headers["authorization"]))]
        station.address = told.get("hall_address") or station.address
        return await super()._heartbeat(request)

    async def _checkin(self, key: str, request: Request) -> Any:
        body = await request.json()
        self.grants.setdefault(key, []).append(body.pop("hall", {}))
        return self._once(self.checkins, key, body, "checkin") or {"state": "recorded"}

    async def _hall(self) -> Response:
        stations = [
            {
                "station_id": str(station_id),
                "desk_code": station.code,
                "public_key_pem": station.public_pem,
                "address": station.address,
            }
            for station_id, station in self.served.items()
        ]
        listed = {"campaign_id": str(self.campaign_id), "group_code": "H", "stations": stations}
        content = json.dumps(listed).encode()
        signature = auth.Stamp(self.pack_keys[0], roster.SIGNED_AS).sign(content)
        return Response(content, headers={"content-type": "application/json", "gradphoto-signature": signature})
