"""The envelope that every event travels in: CloudEvents 1.0, binary mode over AMQP (`ce-` headers, JSON body)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"

#: The number of an aggregate's state: 1 at birth, one more with each change. A consumer ignores what is not newer.
Version = Annotated[int, Field(ge=1)]


class Value(BaseModel):
    """A frozen part of an event. An undeclared field fails where it is built."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Event(Value):
    """One fact, past tense. Subclasses name their routing key in `TYPE`, the field of the aggregate's id in `KEY`."""

    TYPE: ClassVar[str]
    KEY: ClassVar[str]

    version: Version

    @property
    def key(self) -> str:
        """The aggregate's id as text: events with one key keep their order on the way."""
        return str(getattr(self, self.KEY))


class MalformedEnvelope(ValueError):
    """The headers are not those of a CloudEvent that we can read."""


class Envelope(BaseModel):
    """An event on its way: who said it, when, about what, and in which chain of causes."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    type: str
    source: str
    subject: str
    time: AwareDatetime
    correlation_id: str
    traceparent: str | None = None
    data: dict[str, Any]

    @classmethod
    def seal(
        cls, event: Event, *, id: UUID, source: str, time: datetime, correlation_id: str, traceparent: str | None = None
    ) -> Self:
        """Wrap `event`; `source` is the service's name, `correlation_id` that of the request or event behind it."""
        return cls(
            id=id,
            type=event.TYPE,
            source=source,
            subject=event.key,
            time=time,
            correlation_id=correlation_id,
            traceparent=traceparent,
            data=event.model_dump(mode="json"),
        )

    def headers(self) -> dict[str, str]:
        """The AMQP headers of CloudEvents' binary mode."""
        headers = {
            "ce-specversion": SPEC_VERSION,
            "ce-id": str(self.id),
            "ce-type": self.type,
            "ce-source": self.source,
            "ce-subject": self.subject,
            "ce-time": self.time.isoformat(),
            "ce-correlationid": self.correlation_id,
        }
        return headers | ({"ce-traceparent": self.traceparent} if self.traceparent else {})

    @classmethod
    def open(cls, headers: Mapping[str, Any], data: dict[str, Any]) -> Self:
        """Read an envelope back from headers and the decoded JSON body.

        Raises:
            MalformedEnvelope: a header is missing or is not what CloudEvents says.
        """
        if headers.get("ce-specversion") != SPEC_VERSION:
            raise MalformedEnvelope("ce-specversion is not 1.0")
        names = ("id", "type", "source", "subject", "time", "correlationid", "traceparent")
        found = {name: headers[f"ce-{name}"] for name in names if f"ce-{name}" in headers}
        found["correlation_id"] = found.pop("correlationid", found.get("id"))
        try:
            return cls.model_validate({**found, "data": data})
        except ValueError as error:
            raise MalformedEnvelope(f"{getattr(error, 'error_count', lambda: 1)()} headers cannot be read") from None
