"""The project's source as the architecture tests read it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("kit", "photospec", "services", "station", "cli", "contracts/gradphoto_contracts")
SERVICES = ("roster", "scheduler", "capture", "billing", "verify")


def files(*folders: str) -> list[Path]:
    """All Python files under these folders or of these names (`services/x/domain` is a file or a folder)."""
    found: list[Path] = []
    for folder in folders:
        path = ROOT / folder
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    return found


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"), str(path))


def where(path: Path, node: ast.AST) -> str:
    """A place, as an editor opens it."""
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a file with the last part of its name: `errors.Invalid(…)` is `Invalid`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            yield name, node


def text(node: ast.expr | None) -> str | None:
    """The text of a string constant; None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def domains() -> list[Path]:
    """All files of pure rules."""
    return files(*(f"services/{service}/domain" for service in SERVICES), "station/domain")
