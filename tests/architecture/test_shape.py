"""The shape that all services share, and what each layer may not do."""

import ast
import importlib
import itertools
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gradphoto_contracts import catalogue
from tests.architecture import source

PARTS = {
    *("README.md", "__init__.py", "__main__.py", "app.py", "settings.py", "ports.py"),
    *("api", "handlers", "domain", "store", "migrations"),
}


@pytest.mark.parametrize("service", source.SERVICES)
def test_every_service_has_the_same_files(service: str) -> None:
    """Know one service, know all."""
    folder = source.ROOT / "services" / service
    found = {path.name for path in folder.iterdir() if path.name != "__pycache__"}
    assert found == PARTS


def test_there_is_no_other_service() -> None:
    """A sixth service comes with its row in these tests."""
    folders = {path.name for path in (source.ROOT / "services").iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} == set(source.SERVICES) == set(catalogue.SERVICES)


@pytest.mark.parametrize("service", source.SERVICES)
def test_a_service_hears_what_the_catalogue_says(service: Any) -> None:
    """The routing at the foot of the handlers is the catalogue's: nothing unheard, nothing heard in vain."""
    hears = importlib.import_module(f"services.{service}.handlers").HEARS
    assert set(hears) == {entry.event for entry in catalogue.heard_by(service)}


@pytest.mark.parametrize("service", source.SERVICES)
def test_a_service_says_what_the_catalogue_says(service: Any) -> None:
    """Every event of a service is built somewhere in it, and none of another's is."""
    built = {name for path in source.files(f"services/{service}") for name, _ in source.calls(path)}
    built |= {node.attr for path in source.files(f"services/{service}") for node in _attributes(path)}
    names = {entry.event.__name__ for entry in catalogue.said_by(service)}
    assert names <= built, f"never said: {sorted(names - built)}"
    others = {e.event.__name__ for e in catalogue.ENTRIES if e.producer != service}
    called = {name for path in source.files(f"services/{service}") for name, _ in source.calls(path)}
    assert not (called & others)


def _attributes(path: Path) -> list[ast.Attribute]:
    return [node for node in ast.walk(source.tree(path)) if isinstance(node, ast.Attribute)]


@pytest.mark.parametrize("service", source.SERVICES)
def test_a_service_keeps_to_its_own_schema(service: str) -> None:
    """All tables stand in the service's schema, and no foreign key leaves it."""
    metadata: sa.MetaData = importlib.import_module(f"services.{service}.store").METADATA
    assert metadata.tables
    assert {table.schema for table in metadata.tables.values()} == {service}
    keys = [key for table in metadata.tables.values() for key in table.foreign_keys]
    assert {key.target_fullname.split(".")[0] for key in keys} <= {service}


@pytest.mark.parametrize("service", source.SERVICES)
def test_no_sql_names_another_schema(service: str) -> None:
    """Neither a query nor a migration reads what another service owns."""
    others = "|".join(f"{other}." for other in source.SERVICES if other != service)
    for path in source.files(f"services/{service}/store", f"services/{service}/migrations"):
        for node in ast.walk(source.tree(path)):
            content = source.text(node) if isinstance(node, ast.expr) else None
            words = (content or "").lower().split()
            after = [b for a, b in itertools.pairwise(words) if a in {"from", "join", "into", "update", "references"}]
            assert not [word for word in after if word.startswith(tuple(others.split("|")))], source.where(path, node)


FORBIDDEN_CALLS = {"now", "utcnow", "today", "uuid1", "uuid4", "uuid7", "monotonic", "perf_counter", "urandom", "print"}


@pytest.mark.parametrize("path", source.domains(), ids=lambda path: str(path.relative_to(source.ROOT)))
def test_a_domain_is_pure(path: Path) -> None:
    """Time, ids and chance come in as arguments, and nothing waits."""
    for name, call in source.calls(path):
        assert name not in FORBIDDEN_CALLS, f"{source.where(path, call)} calls {name}"
    for node in ast.walk(source.tree(path)):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Global), source.where(path, node)


def test_the_clock_is_the_only_source_of_time() -> None:
    """Services, station and kit ask kit.clock what time it is; the bus notes on a dead letter when it really died."""
    for path in set(source.files("services", "station", "kit")) - set(source.files("kit/clock", "kit/bus")):
        for name, call in source.calls(path):
            if name in {"now", "utcnow", "today"}:
                owner = call.func.value if isinstance(call.func, ast.Attribute) else None
                module = getattr(owner, "id", getattr(owner, "attr", ""))
                assert module not in {"datetime", "date"}, source.where(path, call)


def test_a_transaction_is_committed_at_the_edge_alone() -> None:
    """Only kit.db commits; the station's journal has its own SQLite file."""
    allowed = {source.ROOT / "kit/db.py", source.ROOT / "station/journal.py"}
    for path in source.files("services", "station", "kit"):
        for name, call in source.calls(path):
            assert name not in {"commit", "rollback"} or path in allowed, source.where(path, call)


def test_only_the_bus_answers_the_broker() -> None:
    """Nothing but the bus acknowledges; and nobody nacks, since a nack never reaches the dead letters on 4.3."""
    allowed = {source.ROOT / f"kit/{name}.py" for name in ("bus", "dead_letters", "stream")}
    for path in source.files("kit", "services", "station"):
        for name, call in source.calls(path):
            assert name != "nack", source.where(path, call)
            assert name != "ack" or path in allowed, source.where(path, call)


@pytest.mark.parametrize("package", ["kit", "services", "station", "cli", "contracts/gradphoto_contracts"])
def test_a_package_re_exports_nothing(package: str) -> None:
    """Names are used where they come from. photospec alone is a library for others and has a front, read on demand."""
    tree = source.tree(source.ROOT / package / "__init__.py")
    assert not [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]


NAMELESS = {"utils", "util", "helpers", "helper", "common", "base", "misc", "types", "logging", "http"}


def test_no_file_is_called_anything() -> None:
    """A file is named for its subject."""
    assert not [path for path in source.files(*source.PACKAGES) if path.stem in NAMELESS]


def test_every_test_says_what_it_shows() -> None:
    """A test has one sentence that says the behaviour."""
    for path in source.files("tests"):
        for node in ast.walk(source.tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                assert ast.get_docstring(node), source.where(path, node)
