"""`python -m gradphoto_contracts generate | check | release`: for those who work on gradphoto's source tree."""

import argparse
import hashlib
import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gradphoto_contracts import catalogue, documents, rules

CONTRACTS = Path(__file__).resolve().parents[1]
SUMS = "SHA256SUMS"
QUIET = {"check": "契约无误 · The contracts are in order.", "generate": "无需更新 · Nothing to write."}


class Tree:
    """The source tree: where generated and hand-written files lie."""

    def __init__(self, contracts: Path) -> None:
        self.contracts = contracts
        self.schemas = contracts / "schemas"
        self.released = contracts / "schemas" / "released"
        self.examples = contracts / "examples"

    def version(self) -> str:
        """The wheel's version."""
        return str(tomllib.loads((self.contracts / "pyproject.toml").read_text("utf-8"))["project"]["version"])

    def readmes(self) -> Iterator[tuple[catalogue.Party, Path]]:
        """Each service's README, whether it is there or not."""
        for service in catalogue.SERVICES:
            yield service, self.contracts.parent / "services" / service / "README.md"

    def generated(self) -> dict[Path, str]:
        """What ought to be there: path → text."""
        files = {self.schemas / name: text for name, text in documents.schema_files().items()}
        files[self.contracts / "asyncapi.yaml"] = documents.to_yaml(documents.asyncapi(self.version()))
        files[self.contracts.parent / "docs" / "events.md"] = documents.events_page()
        for service, path in self.readmes():
            text = documents.with_tables(path.read_text("utf-8"), service) if path.exists() else None
            if text is not None:
                files[path] = text
        return files

    def releases(self) -> list[Path]:
        """The folders of released schemas, oldest first."""
        return sorted(self.released.glob("*/"), key=lambda path: [int(n) for n in path.name.split(".")])


def generate(tree: Tree) -> list[str]:
    """Write what is generated, and remove schemas of no event; gives the paths that changed."""
    wanted = tree.generated()
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], "utf-8")
    surplus = [path for path in tree.schemas.glob("*.json") if path not in wanted]
    for path in surplus:
        path.unlink()
    return [str(path.relative_to(tree.contracts.parent)) for path in (*stale, *surplus)]


def check(tree: Tree) -> list[str]:
    """All faults, as sentences."""
    current = {entry.type: documents.schema(entry) for entry in catalogue.ENTRIES}
    return [
        *rules.catalogue_faults(catalogue.ENTRIES),
        *rules.example_faults(catalogue.ENTRIES, _read_all(tree.examples)),
        *_stale_faults(tree),
        *_release_faults(tree),
        *rules.growth_faults(current, _last_released(tree), _compatible),
    ]


def release(tree: Tree) -> list[str]:
    """Freeze today's schemas under the wheel's version, for good."""
    folder = tree.released / tree.version()
    if folder.exists():
        raise SystemExit(f"{folder.name} is released already: raise the version in contracts/pyproject.toml first")
    if faults := check(tree):
        raise SystemExit("\n".join(["not released:", *faults]))
    folder.mkdir(parents=True)
    files = documents.schema_files()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    (folder / SUMS).write_text("".join(f"{_sum(text)}  {name}\n" for name, text in sorted(files.items())), "utf-8")
    return [folder.name]


def _stale_faults(tree: Tree) -> Iterator[str]:
    wanted = tree.generated()
    for path, text in wanted.items():
        if not path.exists() or path.read_text("utf-8") != text:
            yield f"{path.relative_to(tree.contracts.parent)}: is stale; run `python -m gradphoto_contracts generate`"
    for path in tree.schemas.glob("*.json"):
        if path not in wanted:
            yield f"schemas/{path.name}: is of no event; run `python -m gradphoto_contracts generate`"
    for service, path in tree.readmes():
        if path not in wanted:
            yield f"services/{service}/README.md: lacks the lines {documents.BEGIN} and {documents.END}"


def _release_faults(tree: Tree) -> Iterator[str]:
    for folder in tree.releases():
        lines = (folder / SUMS).read_text("utf-8").splitlines()
        sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        files = {path.name: _sum(path.read_text("utf-8")) for path in folder.glob("*.json")}
        for name in sorted(sums.keys() | files.keys()):
            if sums.get(name) != files.get(name):
                yield f"schemas/released/{folder.name}/{name}: was edited after its release; put it back"


def _last_released(tree: Tree) -> dict[str, Mapping[str, Any]]:
    last: dict[str, Mapping[str, Any]] = {}
    for folder in tree.releases():
        last |= {name.removesuffix(".json"): schema for name, schema in _read_all(folder).items()}
    return last


def _compatible(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    # Needed to check, not to subscribe: so it is no dependency of the wheel.
    import jsoncompat

    # It takes an `$id` for a reference and refuses it; the id is the file's name anyway.
    before, after = (json.dumps({k: v for k, v in schema.items() if k != "$id"}) for schema in (old, new))
    return bool(jsoncompat.check_compat(before, after, "serializer"))


def _read_all(folder: Path) -> dict[str, Any]:
    return {path.name: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def main(arguments: list[str] | None = None, tree: Tree | None = None) -> int:
    """Exit status 0 where all is well."""
    parser = argparse.ArgumentParser(prog="python -m gradphoto_contracts")
    parser.add_argument("act", choices=["generate", "check", "release"])
    act = parser.parse_args(arguments).act
    tree = tree or Tree(CONTRACTS)
    if not tree.examples.is_dir():
        sys.stderr.write("请在源码目录中运行。 · Run this in the source tree: the wheel has no schemas to write.\n")
        return 2
    lines = {"generate": generate, "check": check, "release": release}[act](tree)
    print("\n".join(lines) if lines else QUIET[act])
    return 1 if act == "check" and lines else 0


if __name__ == "__main__":
    sys.exit(main())
