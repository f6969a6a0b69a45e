"""What the server signs of what it has: only under its key a frame is let go, and a session called sealed.

The key is the one that signs desk packs, which came with the enrolment. An answer that lacks the signature is no
receipt, whoever gave it: the message stays, and is offered again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from gradphoto_contracts import ids
from kit import auth, documents
from kit.errors import Refused
from station.domain.outgoing import Message


class _Received(BaseModel):
    signature: str


class _Difference(BaseModel):
    kind: str


class _Sealed(BaseModel):
    state: Literal["sealed", "refused", "settled"]
    stored_frames: int
    balanced: bool
    difference_count: int
    differences: list[_Difference]
    countersigned: dict[str, Any] = Field(default_factory=dict)
    countersignature: str = ""


@dataclass(frozen=True)
class Receipts:
    """The server's word for one station, checked under its key."""

    server_key: str
    station_id: ids.StationId

    def demand(self, message: Message, answer: Mapping[str, Any]) -> None:
        """Raise Refused when the answer to this message is not what the server itself would have given."""
        try:
            genuine = self._genuine(message, answer)
        except (ValidationError, ValueError):
            genuine = False
        if not genuine:
            raise Refused("server-receipt-not-genuine")

    def _genuine(self, message: Message, answer: Mapping[str, Any]) -> bool:
        match message.kind:
            case "capture":
                return self._frame(message, _Received.model_validate(answer))
            case "session":
                return self._session(message, _Sealed.model_validate(_told(answer)))
            case _:  # nothing is let go for it
                return True

    def _frame(self, message: Message, answer: _Received) -> bool:
        content = documents.receipt(self.station_id, message.key, message.body["sha256"])
        return auth.stamped(self.server_key, documents.RECEIPT, content, answer.signature)

    def _session(self, message: Message, answer: _Sealed) -> bool:
        if answer.state == "refused":
            return not answer.balanced
        # Its document's digest is not compared: settled in between, the seal is over what was told before.
        expected = {
            "session_id": str(message.key),
            "station_id": str(self.station_id),
            "state": answer.state,
            "stored_frames": answer.stored_frames,
            "differences": answer.difference_count,
        }
        whole = answer.state == "settled" or (
            answer.stored_frames == len(message.body["journalled"]) and not answer.difference_count
        )
        fits = all(answer.countersigned.get(name) == value for name, value in expected.items())
        if not fits or answer.balanced != (not answer.difference_count):
            return False
        content = documents.canonical(answer.countersigned)
        return whole and auth.stamped(self.server_key, documents.COUNTERSIGN, content, answer.countersignature)


def _told(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if value is not None}
