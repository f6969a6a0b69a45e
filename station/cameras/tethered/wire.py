"""What the agent and the driving process say to each other: a line of JSON, then as many bytes as it names."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO

from station.cameras.tethered import bodies


@dataclass(frozen=True, slots=True)
class Message:
    """`says` is what it is about; the fields depend on it. `payload` is a picture, or empty."""

    says: str
    fields: dict[str, Any] = field(default_factory=dict)
    payload: bytes = b""

    def encoded(self) -> bytes:
        """As it goes over the pipe."""
        head = {"says": self.says, "bytes": len(self.payload), **self.fields}
        return json.dumps(head).encode() + b"\n" + self.payload


def head(line: bytes) -> tuple[str, dict[str, Any], int]:
    """What a line says, its fields, and how many bytes follow."""
    fields: dict[str, Any] = json.loads(line)
    return fields.pop("says"), fields, fields.pop("bytes")


def read(stream: BinaryIO) -> Message | None:
    """The next message, None at the end. Blocks."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    says, fields, size = head(line)
    payload = stream.read(size)
    return Message(says, fields, payload) if len(payload) == size else None


def entry(fields: dict[str, Any]) -> bodies.Entry:
    """A file on the card, as `asdict` wrote it."""
    return bodies.Entry(fields["folder"], fields["name"], int(fields["size"]), int(fields["modified"]))


def entries(payload: bytes) -> list[bodies.Entry]:
    """A listing of the card."""
    return [entry(fields) for fields in json.loads(payload)]


def listing(card: list[bodies.Entry]) -> bytes:
    """The same, to be sent."""
    return json.dumps([asdict(one) for one in card]).encode()
