"""Who belongs to the hall: a list that the server signs, with each desk's station and its public key."""

import contextlib
import json
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from gradphoto_contracts import ids
from kit import auth, logs
from kit.errors import Refused
from station import settings

#: The kind of document: the server's key signs desk packs too.
SIGNED_AS = "gradphoto-hall-list"


class Peer(BaseModel):
    """A station of the hall. `address` is where it was last heard to listen, if it ever said so."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    station_id: ids.StationId
    desk_code: str
    public_key_pem: str
    address: str | None = None


class HallList(BaseModel):
    """The stations of one hall, all desks in the order in which they would become hub."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    campaign_id: ids.CampaignId
    group_code: str
    stations: tuple[Peer, ...]


class Roster:
    """The list in force, kept over restarts. Taken only under the key that signs this station's desk packs."""

    def __init__(self, path: Path, campaign_id: ids.CampaignId, server_key: str) -> None:
        self._path, self._campaign_id, self._key = path, campaign_id, server_key
        self._list: HallList | None = None

    def load(self) -> None:
        """Take the list of before the restart, if there is one."""
        with contextlib.suppress(FileNotFoundError):
            kept = json.loads(self._path.read_bytes())
            self._list = self._verified(kept["content"].encode(), kept["signature"])

    def take(self, content: bytes, signature: str) -> None:
        """Take a newer list. Raises Refused when it is not signed by our server, or is another campaign's."""
        fresh = self._verified(content, signature)
        if fresh != self._list:
            kept = {"content": content.decode(), "signature": signature}
            settings.write_whole(self._path, json.dumps(kept).encode())
            self._list = fresh
            logs.get().info("hall.list-taken", stations=len(fresh.stations))

    @property
    def peers(self) -> dict[ids.StationId, Peer]:
        """All stations of the hall, this one too, in order."""
        return {peer.station_id: peer for peer in self._list.stations} if self._list else {}

    def _verified(self, content: bytes, signature: str) -> HallList:
        if not auth.stamped(self._key, SIGNED_AS, content, signature):
            raise Refused("hall-list-unsigned")
        hall = HallList.model_validate_json(content)
        if hall.campaign_id != self._campaign_id:
            raise Refused("hall-list-unsigned")
        return hall


class Addresses:
    """Where each desk was last heard to listen, kept over restarts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[ids.StationId, str] = {}

    def load(self) -> None:
        """Take those of before the restart."""
        with contextlib.suppress(FileNotFoundError):
            kept = json.loads(self._path.read_bytes())
            self._known = {ids.StationId(UUID(peer)): address for peer, address in kept.items()}

    def get(self, peer: ids.StationId) -> str | None:
        """The address, if the desk ever said one."""
        return self._known.get(peer)

    def learn(self, peer: ids.StationId, address: str) -> None:
        """The desk says that it listens there."""
        if self._known.get(peer) != address:
            self._known[peer] = address
            kept = {str(known): said for known, said in self._known.items()}
            settings.write_whole(self._path, json.dumps(kept).encode())
