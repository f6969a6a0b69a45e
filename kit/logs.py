"""Logs: one JSON object a line, with the correlation id of what caused it, and without personal data.

A message to a person is a code; the log carries the code and its parameters, not the words.
"""

import logging
import re
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger

#: The id that goes from a request through every event it causes. Empty outside of any.
correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
#: The event being handled. Empty where none is.
event_id: ContextVar[str] = ContextVar("event_id", default="")

#: Fields whose value never reaches a log.
SECRET_FIELDS = frozenset(
    {
        *("name", "names", "name_zh", "full_name", "id_number", "id_numbers", "identity", "phone", "phones"),
        *("student_no", "student_nos", "payload", "scan", "password", "secret", "token", "authorization"),
        *("private_key", "private_pem", "s3_url", "database_url", "amqp_url"),
    }
)
MASK = "***"

# An 18-digit resident ID number, its 15-digit elder, and a mobile number, wherever they stand in a text.
_NUMBERS = re.compile(r"(?<![0-9A-Za-z])(?:\d{17}[\dXx]|\d{15}|(?:\+?86[- ]?)?1[3-9]\d{9})(?![0-9A-Za-z])")
# What libraries quote in their error texts: pydantic's inputs, SQL parameters, PostgreSQL's details, a URL's password.
_QUOTED = (
    (re.compile(r"input_value=.*?(?=, input_type=)", re.DOTALL), f"input_value={MASK}"),
    (re.compile(r"\[parameters: .*?\]$", re.MULTILINE), f"[parameters: {MASK}]"),
    (re.compile(r"^DETAIL:.*$", re.MULTILINE), f"DETAIL: {MASK}"),
    (re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"), MASK),
)


def configure(service: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logs of this process, ours and the libraries', to `stream` (stderr) as JSON lines."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _Origin(service),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_finish()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("uvicorn.access", "aiormq", "aio_pika", "urllib3", "asyncio", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def get(name: str = "gradphoto") -> FilteringBoundLogger:
    """A logger. The event is a dotted code ("photo.received"), all else are fields."""
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger


@contextmanager
def bound(*, correlation: str, event: str = "") -> Iterator[None]:
    """Everything inside is caused by `correlation`: log lines and events carry it."""
    outer, inner = correlation_id.set(correlation), event_id.set(event)
    try:
        yield
    finally:
        correlation_id.reset(outer)
        event_id.reset(inner)


def mask(text: str) -> str:
    """`text` without ID numbers, mobile numbers, and what libraries quote of their input."""
    for pattern, replacement in _QUOTED:
        text = pattern.sub(replacement, text)
    return _NUMBERS.sub(MASK, text)


def redact(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """structlog processor: no personal data and no secret leaves this process in a log line."""
    for field, value in event.items():
        event[field] = MASK if field.lower() in SECRET_FIELDS else _clean(value)
    return event


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, MutableMapping | dict):
        return {key: MASK if str(key).lower() in SECRET_FIELDS else _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return mask(str(value))


def _finish() -> list[Any]:
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


class _Origin:
    """Adds the service and the ids that are bound now."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        event["service"] = self._service
        for variable in (correlation_id, event_id):
            if value := variable.get():
                event.setdefault(variable.name, value)
        return event
