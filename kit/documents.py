"""A document as it is signed: one spelling of its content, so that whoever holds that can check the signature."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

#: The kinds of signature over a session's seal, by its station and by the server: one is none of the other.
SEAL, COUNTERSIGN = "gradphoto-seal", "gradphoto-countersign"
#: By the server, over one frame that it has whole: only under it a desk lets its own copy go.
RECEIPT = "gradphoto-receipt"
#: Over what a student said to face comparison, by the station that wrote it down.
CONSENT = "gradphoto-consent"
#: Over the contents of a stick with a dead desk's work, and over one message on it.
EXPORT, EXPORT_MESSAGE = "gradphoto-export", "gradphoto-export-message"


def canonical(document: Mapping[str, Any]) -> bytes:
    """UTF-8 JSON with sorted keys and no white space. Only texts, whole numbers, booleans, null, lists and objects.

    Fractions are refused: two languages spell them differently.
    """
    _demand_exact(document)
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def brought(station_id: UUID, kind: str, key: str, text: str) -> bytes:
    """What a station signs of a message that somebody else will bring in its name."""
    return "\n".join((str(station_id), kind, key, text)).encode()


def receipt(station_id: UUID, capture_id: UUID, sha256: str) -> bytes:
    """What the server signs when it has a station's frame, with these bytes, in its store."""
    return "\n".join((str(station_id), str(capture_id), sha256)).encode()


def keys_of(station_id: UUID) -> str:
    """What a box with a station's keys says it is for."""
    return f"station keys {station_id}"


def digest(document: Mapping[str, Any]) -> str:
    """The SHA-256 (64 hex digits) by which another document names this one."""
    return hashlib.sha256(canonical(document)).hexdigest()


def _demand_exact(value: Any) -> None:
    match value:
        case str() | int() | None:
            return
        case dict():
            for inner in value.values():
                _demand_exact(inner)
        case list() | tuple():
            for inner in value:
                _demand_exact(inner)
        case _:
            raise ValueError(f"a signed document holds no {type(value).__name__}")
