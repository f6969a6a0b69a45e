"""The catalogue, its examples, its generated files and its releases, as they are; and that each fault is found."""

import importlib.metadata
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import jsonschema
import pytest

from gradphoto_contracts import __main__ as tool
from gradphoto_contracts import catalogue, documents, rules
from gradphoto_contracts.envelope import Envelope, Event

ROOT = Path(__file__).resolve().parents[2]
EVENT_ID = UUID("0193c010-7a00-7000-8000-000000000001")
NOW = datetime(2024, 3, 1, 8, tzinfo=UTC)
EXAMPLES = sorted((ROOT / "contracts" / "examples").glob("*.json"))


def entry(of: str = "roster.campaign.closed.v1") -> catalogue.Entry:
    """One entry of the catalogue."""
    return catalogue.BY_TYPE[of]


@pytest.fixture
def tree(tmp_path: Path) -> tool.Tree:
    """A copy of what the tool reads and writes, to be damaged."""
    for part in ("contracts/examples", "contracts/schemas"):
        shutil.copytree(ROOT / part, tmp_path / part)
    for file in ("contracts/pyproject.toml", "contracts/asyncapi.yaml", "docs/events.md"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    for service in catalogue.SERVICES:
        readme = tmp_path / "services" / service / "README.md"
        readme.parent.mkdir(parents=True)
        readme.write_text(f"# {service}\n\n{documents.BEGIN}\n{documents.END}\n", "utf-8")
    tree = tool.Tree(tmp_path / "contracts")
    tool.generate(tree)
    return tree


def test_the_contracts_are_in_order() -> None:
    """The very tree that is tested has no fault."""
    assert tool.check(tool.Tree(ROOT / "contracts")) == []


def test_a_copy_is_in_order_too(tree: tool.Tree) -> None:
    """What the damaged copies below start from has no fault."""
    assert tool.check(tree) == []


def test_generating_twice_changes_nothing(tree: tool.Tree) -> None:
    """The generator is deterministic."""
    assert tool.generate(tree) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_validates_thrice(path: Path) -> None:
    """By the model, by the published schema under another validator, and by a consumer who sees an unknown field."""
    of = catalogue.BY_TYPE[".".join(path.name.split(".")[:4])]
    data = json.loads(path.read_text("utf-8"))
    jsonschema.Draft202012Validator(documents.schema(of)).validate(data)
    event = of.event.model_validate(data)
    assert catalogue.read(of.type, event.model_dump(mode="json") | {"added_later": 1}) == event


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_survives_the_wire(path: Path) -> None:
    """Sealed, taken apart into headers and body, and opened again, it is the same event about the same thing."""
    of = catalogue.BY_TYPE[".".join(path.name.split(".")[:4])]
    event = of.event.model_validate_json(path.read_text("utf-8"))
    sealed = Envelope.seal(event, id=EVENT_ID, source=of.producer, time=NOW, correlation_id="c-1")
    opened = Envelope.open(sealed.headers(), json.loads(json.dumps(sealed.data)))
    assert opened == sealed
    assert catalogue.read(opened.type, opened.data) == event


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda e: replace(e, consumers=()), "has no consumer"),
        (lambda e: replace(e, consumers=("library",)), "'library' is no other party"),
        (lambda e: replace(e, consumers=("roster",)), "'roster' is no other party"),
        (lambda e: replace(e, producer="library"), "producer 'library' is no service"),
        (lambda e: replace(e, producer="verify"), "not by its producer"),
        (lambda e: replace(e, sentence_zh="closed"), "no sentence in Chinese"),
        (lambda e: replace(e, personal_data=True), "flagged as personal data"),
    ],
)
def test_a_faulty_entry_is_found(change: Callable[[catalogue.Entry], catalogue.Entry], fault: str) -> None:
    """Each thing that an entry must have is missed when it is not there."""
    found = list(rules.catalogue_faults([change(entry()), *_others()]))
    assert any(fault in line for line in found), found


def test_an_event_outside_the_catalogue_is_found() -> None:
    """An event that a module declares and nobody listed is a fault; so is one that stands there twice."""
    assert list(rules.catalogue_faults(_others())) == ["CampaignClosedV1: is not in the catalogue"]
    assert any("more than once" in line for line in rules.catalogue_faults([*catalogue.ENTRIES, entry()]))


def _others() -> list[catalogue.Entry]:
    return [other for other in catalogue.ENTRIES if other != entry()]


class CampaignOpenV1(Event):
    TYPE: ClassVar[str] = "roster.campaign.opened.v1"
    KEY: ClassVar[str] = "nothing"

    phone: str


class BadKeyV1(Event):
    """A routing key that is none."""

    TYPE: ClassVar[str] = "roster.campaign.v1"
    KEY: ClassVar[str] = "version"


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        (CampaignOpenV1, "class is called CampaignOpenV1, not CampaignOpenedV1"),
        (CampaignOpenV1, "has no sentence in English"),
        (CampaignOpenV1, "key 'nothing' is no field"),
        (CampaignOpenV1, "field 'phone' would carry personal data"),
        (BadKeyV1, "routing key does not read"),
    ],
)
def test_a_faulty_event_is_found(event: type[Event], fault: str) -> None:
    """Name, docstring, key, personal fields and the pattern of the routing key are looked at."""
    faulty = catalogue.Entry(event, "roster", ("subscribers",), "批次已开启")
    assert any(fault in line for line in rules.catalogue_faults([faulty]))


def test_a_spoiled_example_is_found(tree: tool.Tree) -> None:
    """An example that no longer validates is named with the place, one of no event with its file."""
    path = tree.examples / "roster.campaign.closed.v1.json"
    path.write_text('{"version": 0, "campaign_id": "x"}')
    (tree.examples / "roster.campaign.forgotten.v1.json").write_text("{}")
    found = tool.check(tree)
    assert "examples/roster.campaign.closed.v1.json: no longer validates at version, campaign_id" in found
    assert "examples/roster.campaign.forgotten.v1.json: is of no event in the catalogue" in found


def test_a_missing_example_is_found(tree: tool.Tree) -> None:
    """Every event has an example."""
    (tree.examples / "roster.campaign.closed.v1.json").unlink()
    assert tool.check(tree) == ["roster.campaign.closed.v1: has no example"]


@pytest.mark.parametrize(
    "file",
    [
        "contracts/schemas/roster.campaign.closed.v1.json",
        "contracts/asyncapi.yaml",
        "docs/events.md",
        "services/roster/README.md",
    ],
)
def test_a_stale_file_is_found_and_mended(tree: tool.Tree, file: str) -> None:
    """An edit by hand in what is generated fails the check, which names the command that mends it."""
    path = tree.contracts.parent / file
    path.write_text(path.read_text("utf-8").replace("campaign", "compaign", 1), "utf-8")
    (found,) = tool.check(tree)
    assert found.startswith(file)
    assert "generate" in found
    assert tool.generate(tree) == [file]
    assert tool.check(tree) == []


def test_a_surplus_schema_is_found_and_removed(tree: tool.Tree) -> None:
    """A schema of an event that is no more does not linger."""
    (tree.schemas / "roster.campaign.gone.v1.json").write_text("{}")
    assert tool.check(tree) == [
        "schemas/roster.campaign.gone.v1.json: is of no event; run `python -m gradphoto_contracts generate`"
    ]
    tool.generate(tree)
    assert tool.check(tree) == []


def test_a_readme_without_markers_is_found(tree: tool.Tree) -> None:
    """A service cannot forget to say what it says and hears."""
    (tree.contracts.parent / "services/billing/README.md").write_text("# billing\n")
    assert any(line.startswith("services/billing/README.md: lacks") for line in tool.check(tree))


def released(**changes: Any) -> dict[str, dict[str, Any]]:
    """The schema of one event as if it had been released otherwise."""
    of = catalogue.BY_TYPE["capture.photo.rejected.v1"]
    schema = json.loads(json.dumps(documents.schema(of)))
    properties = schema["properties"]
    for name, value in changes.items():
        if value is None:
            properties.pop(name)
            schema["required"].remove(name)
        else:
            properties[name] = value
            schema["required"] = sorted({*schema["required"], name})
    return {of.type: schema}


CURRENT = {entry.type: documents.schema(entry) for entry in catalogue.ENTRIES}


@pytest.mark.parametrize(
    ("old", "grew"),
    [
        (released(), True),
        (released(rules=None), True),
        (released(cause={"type": "string"}), True),
        (released(cause={"enum": ["standard", "retaken", "duplicate", "unreadable", "dull"], "type": "string"}), True),
        (released(author={"type": "string"}), False),
        (released(cause={"enum": ["standard"], "type": "string"}), False),
        (released(rules={"type": "string"}), False),
        (released(version={"type": "integer", "minimum": 2}), False),
    ],
    ids=[
        *("unchanged", "field added", "narrowed", "value no longer said"),
        *("field removed", "value added", "type changed", "range widened"),
    ],
)
def test_released_schemas_may_only_grow(old: dict[str, dict[str, Any]], *, grew: bool) -> None:
    """Yesterday's readers must be able to read today's events; what they cannot read is the next version."""
    found = list(rules.growth_faults(CURRENT, old, tool._compatible))
    assert (found == []) is grew


def test_a_released_event_does_not_vanish() -> None:
    """An event that was released and is not in the catalogue any more is a fault."""
    (found,) = rules.growth_faults(CURRENT, {"roster.campaign.paused.v1": {}}, tool._compatible)
    assert found.startswith("roster.campaign.paused.v1: was released and is gone")


def test_a_release_is_for_good(tree: tool.Tree) -> None:
    """A release cannot be made twice, and neither edited nor thinned out afterwards."""
    shutil.rmtree(tree.released, ignore_errors=True)
    (version,) = tool.release(tree)
    with pytest.raises(SystemExit, match="released already"):
        tool.release(tree)
    edited = tree.released / version / "roster.campaign.closed.v1.json"
    edited.write_text(edited.read_text("utf-8").replace('"minimum": 1', '"minimum": 0'), "utf-8")
    (tree.released / version / "roster.class.changed.v1.json").unlink()
    found = tool.check(tree)
    for name in ("roster.campaign.closed.v1.json", "roster.class.changed.v1.json"):
        assert f"schemas/released/{version}/{name}: was edited after its release; put it back" in found


def test_nothing_faulty_is_released(tree: tool.Tree) -> None:
    """A release of contracts that are not in order is refused."""
    shutil.rmtree(tree.released, ignore_errors=True)
    (tree.contracts / "asyncapi.yaml").unlink()
    with pytest.raises(SystemExit, match=r"asyncapi\.yaml"):
        tool.release(tree)
    assert not tree.released.exists()


def test_the_exit_status_tells(tree: tool.Tree, capsys: pytest.CaptureFixture[str]) -> None:
    """0 and one sentence where all is well, 1 and the faults where not."""
    assert tool.main(["check"], tree) == 0
    assert "契约无误" in capsys.readouterr().out
    (tree.contracts / "asyncapi.yaml").unlink()
    assert tool.main(["check"], tree) == 1
    assert "asyncapi.yaml" in capsys.readouterr().out
    assert tool.main(["generate"], tree) == 0


def test_an_installed_wheel_says_that_it_has_no_sources(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run from site-packages the tool explains itself."""
    assert tool.main(["check"], tool.Tree(tmp_path)) == 2
    assert "源码目录" in capsys.readouterr().err


def test_the_wheel_needs_pydantic_alone() -> None:
    """A subscriber who reads events loads nothing of ours and no library but pydantic and what that brings."""
    code = "import sys; from gradphoto_contracts import catalogue, documents, rules; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "docs")
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    brought = {"pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"}
    ours = {"kit", "services", "station", "cli", "photospec"}
    assert not loaded & ours
    foreign = set(importlib.metadata.packages_distributions()) & loaded
    assert foreign <= brought | {"gradphoto_contracts"}, foreign - brought
