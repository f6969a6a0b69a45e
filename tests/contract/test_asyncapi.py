"""The AsyncAPI document: valid by the reference parser, and the same as the catalogue."""

import json
import os
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gradphoto_contracts import catalogue, documents

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "contracts" / "asyncapi.yaml"
#: The reference implementation, pinned: a newer one may judge otherwise.
PARSER = "@asyncapi/parser@3.6.3"
SCRIPT = """
const { Parser, fromFile } = require("@asyncapi/parser");
(async () => {
  const parser = new Parser();
  const { document, diagnostics } = await fromFile(parser, process.argv[2]).parse();
  const found = diagnostics.map(d => ({ severity: d.severity, code: d.code, message: d.message, path: d.path }));
  const channels = document ? document.channels().all().length : 0;
  console.log(JSON.stringify({ parsed: document !== undefined, channels, found }));
})();
"""


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """The document as it is committed."""
    read: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text("utf-8"))
    return read


@pytest.fixture(scope="session")
def parser() -> Path:
    """A folder in which Node finds the parser; installed there by npm once and kept between runs."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "gradphoto" / PARSER.rpartition("@")[2].join(("asyncapi-parser-", ""))
    npm = shutil.which("npm")
    assert npm, "npm is not on PATH: install Node.js (Debian: apt-get install nodejs npm) to validate AsyncAPI"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"}
        command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", PARSER]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        (folder / "validate.cjs").write_text(SCRIPT)
        (folder / "complete").touch()
    (folder / "validate.cjs").write_text(SCRIPT)
    return folder


def judge(parser: Path, path: Path) -> dict[str, Any]:
    """What the reference parser says of a document."""
    node = shutil.which("node")
    assert node, "node is not on PATH"
    command = [node, "validate.cjs", str(path)]
    done = subprocess.run(command, cwd=parser, capture_output=True, text=True, timeout=120, check=True)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_the_reference_parser_finds_no_fault(parser: Path) -> None:
    """No error and no warning; hints about newer versions of AsyncAPI are none of ours."""
    said = judge(parser, DOCUMENT)
    assert said["parsed"]
    assert said["channels"] == len(catalogue.ENTRIES)
    assert [fault for fault in said["found"] if fault["severity"] < 2] == []


def test_the_reference_parser_would_find_one(parser: Path, tmp_path: Path) -> None:
    """A document with a reference into nothing is refused: the test above can fail."""
    broken = tmp_path / "asyncapi.yaml"
    text = DOCUMENT.read_text("utf-8")
    broken.write_text(text.replace("#/components/schemas/CloudEventHeaders", "#/components/schemas/Nothing"), "utf-8")
    assert any(fault["severity"] == 0 for fault in judge(parser, broken)["found"])


def test_our_yaml_reads_as_it_was_meant(document: dict[str, Any]) -> None:
    """A YAML library reads from the file exactly what was written into it."""
    version = tomllib.loads((ROOT / "contracts/pyproject.toml").read_text())["project"]["version"]
    assert document == documents.asyncapi(version)


@pytest.mark.parametrize(
    "value",
    [
        {"on": 1, "yes": "no", "null": None, "1": [], "a b": {}, "$ref": "#/x", "é": "：", "": [[1], [{"a": [True]}]]},
        ["- a", "a: b", "#", "\n", "\u2028", "'", '"', "0x1", "1e3", "~", "2024-03-01"],
        {},
        [],
    ],
)
def test_awkward_values_survive_our_yaml(value: Any) -> None:
    """Words that YAML takes for something else come back as they were."""
    assert yaml.safe_load(documents.to_yaml(value)) == value


def test_every_event_has_channel_message_and_operations(document: dict[str, Any]) -> None:
    """One channel an event; its producer sends, each consumer receives."""
    assert list(document["channels"]) == [entry.type for entry in catalogue.ENTRIES]
    for entry in catalogue.ENTRIES:
        about = [name for name in document["operations"] if name.endswith(entry.type)]
        assert about == [
            f"{entry.producer}.says.{entry.type}",
            *(f"{consumer}.hears.{entry.type}" for consumer in entry.consumers),
        ]


def test_the_payloads_of_the_document_judge_as_the_schemas_do(document: dict[str, Any]) -> None:
    """An example fits the document's payload; without its version it does not."""
    for entry in catalogue.ENTRIES:
        path = ROOT / "contracts" / "examples" / f"{entry.type}.json"
        data = json.loads(path.read_text("utf-8"))
        schema = {"$ref": document["components"]["messages"][entry.type]["payload"]["$ref"], **document}
        judge_payload = jsonschema.Draft202012Validator(schema)
        judge_payload.validate(data)
        data.pop("version")
        assert not judge_payload.is_valid(data)
