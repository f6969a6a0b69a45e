"""What must hold of every event, of the examples, and of a released schema. Pure; faults are sentences."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from gradphoto_contracts import billing, capture, roster, scheduler, verify
from gradphoto_contracts.catalogue import SERVICES, Entry
from gradphoto_contracts.envelope import Event

MODULES: tuple[ModuleType, ...] = (roster, scheduler, capture, billing, verify)
#: Field names that would carry a person's data; an event has none of them, at no depth.
PERSONAL_FIELDS = frozenset(
    {"name", "full_name", "id_number", "phone", "student_no", "face", "photo_base64", "address"}
)
_TYPE = re.compile(r"(?P<producer>[a-z]+)\.(?P<subject>[a-z]+)\.(?P<verb>[a-z]+)\.v(?P<major>[1-9][0-9]*)")

#: Says whether everything that the new schema allows is allowed by the old one.
Compatible = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]


def catalogue_faults(entries: Sequence[Entry]) -> Iterator[str]:
    """Names, parties, sentences, keys; every event of the modules is listed once."""
    for entry in entries:
        yield from (f"{entry.type}: {fault}" for fault in _entry_faults(entry))
    types = [entry.type for entry in entries]
    yield from (
        f"{twice}: stands in the catalogue more than once" for twice in {t for t in types if types.count(t) > 1}
    )
    listed = {entry.event for entry in entries}
    yield from (f"{event.__name__}: is not in the catalogue" for event in declared() if event not in listed)


def declared() -> Iterator[type[Event]]:
    """All events that the modules declare."""
    for module in MODULES:
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Event) and "TYPE" in vars(value):
                yield value


def example_faults(entries: Sequence[Entry], examples: Mapping[str, Any]) -> Iterator[str]:
    """`examples` by file name (`<type>.json`, `<type>.<case>.json`): all valid, one or more for each event."""
    seen: set[str] = set()
    by_type = {entry.type: entry for entry in entries}
    for name, data in examples.items():
        found = _TYPE.match(name)
        entry = by_type.get(found.group()) if found else None
        if entry is None:
            yield f"examples/{name}: is of no event in the catalogue"
            continue
        seen.add(entry.type)
        try:
            entry.event.model_validate(data)
        except ValidationError as error:
            places = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
            yield f"examples/{name}: no longer validates at {places}"
    yield from (f"{missing}: has no example" for missing in by_type if missing not in seen)


def growth_faults(
    current: Mapping[str, Mapping[str, Any]], released: Mapping[str, Mapping[str, Any]], compatible: Compatible
) -> Iterator[str]:
    """Both by type. A released schema may only grow so that yesterday's readers can read today's events."""
    for name, old in released.items():
        new = current.get(name)
        if new is None:
            yield f"{name}: was released and is gone; deprecate it and keep saying it for the announced time"
        elif not compatible(old, new):
            yield f"{name}: differs from its released schema by more than added fields; make it the next version (…V2)"


def _entry_faults(entry: Entry) -> Iterator[str]:
    found = _TYPE.fullmatch(entry.type)
    if not found:
        yield "routing key does not read <producer>.<subject>.<verb>.v<n>"
    else:
        wanted = f"{found['subject'].capitalize()}{found['verb'].capitalize()}V{found['major']}"
        if entry.event.__name__ != wanted:
            yield f"class is called {entry.event.__name__}, not {wanted}"
    if entry.producer not in SERVICES:
        yield f"producer {entry.producer!r} is no service"
    if entry.event.__module__.rpartition(".")[2] != entry.producer:
        yield f"is declared in {entry.event.__module__}, not by its producer"
    if not entry.consumers:
        yield "has no consumer"
    for consumer in entry.consumers:
        if consumer not in (*SERVICES, "subscribers") or consumer == entry.producer:
            yield f"consumer {consumer!r} is no other party"
    if not re.search(r"[\u4e00-\u9fff]", entry.sentence_zh):
        yield "has no sentence in Chinese"
    if not vars(entry.event).get("__doc__"):
        yield "has no sentence in English (its docstring)"
    yield from _data_faults(entry)


def _data_faults(entry: Entry) -> Iterator[str]:
    if entry.event.KEY not in entry.event.model_fields:
        yield f"key {entry.event.KEY!r} is no field"
    if entry.personal_data:
        yield "is flagged as personal data; events carry ids only"
    for field in sorted(_fields(entry.event.model_json_schema()) & PERSONAL_FIELDS):
        yield f"field {field!r} would carry personal data"


def _fields(schema: Any) -> set[str]:
    if isinstance(schema, dict):
        own = set(schema.get("properties", {})) if isinstance(schema.get("properties"), dict) else set()
        return own.union(*(_fields(inner) for inner in schema.values()))
    return set().union(*(_fields(inner) for inner in schema)) if isinstance(schema, list) else set()
