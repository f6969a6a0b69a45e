"""What was measured, as a part of the photo standard's page: written by the command, known to be stale by its stamp."""

import ast
import datetime
import hashlib
import platform
import subprocess
from pathlib import Path

import cv2

from cli.photo import eyelids, spoiling, studio, trial
from photospec import backdrop, clarity, eyes, faces, framing, inspection, measures, profiles

BEGIN = "<!-- measured: written by `./gradphoto photo measure --docs`, not by hand -->"
END = "<!-- end of what was measured -->"


def stamp(profile: profiles.Profile) -> str:
    """A digest of the machine's rules, of the flaws and of what measures: others want another measurement."""
    judged = [
        (
            rule.id, rule.measure, rule.low, rule.high, rule.reject_low, rule.reject_high, rule.severity,
            rule.unmeasured, rule.noise,
        )
        for rule in profile.rules
        if rule.judged_by == "machine"
    ]  # fmt: skip
    flaws = [(flaw.name, flaw.rules) for flaw in spoiling.FLAWS]
    measuring = [_code(Path(str(module.__file__)).read_text("utf-8")) for module in _MEASURING]
    return hashlib.sha256(repr((judged, flaws, measuring)).encode()).hexdigest()[:16]


#: What a value comes of, and the pictures that it is measured on.
_MEASURING = (backdrop, clarity, eyes, faces, framing, inspection, measures, eyelids, spoiling, studio, trial)


def _code(source: str) -> str:
    """What a module does, whatever its comments and docstrings say of it."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def write(path: Path, tables: str, profile: profiles.Profile, today: datetime.date) -> None:
    """Put the tables between the marks. Raises: ValueError where the page has no marks."""
    page = path.read_text("utf-8")
    before, begun, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError(f"{path}: no {BEGIN} … {END}")
    path.write_text(f"{before}{BEGIN}\n\n{_heading(profile, today)}\n\n{tables.strip()}\n\n{END}{after}", "utf-8")


def stamped(path: Path) -> str | None:
    """The stamp under which the page's tables were measured."""
    _, found, rest = path.read_text("utf-8").partition("stamp `")
    return rest.partition("`")[0] if found else None


def _heading(profile: profiles.Profile, today: datetime.date) -> str:
    machine = f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}, OpenCV {cv2.__version__}"
    return (
        f"Measured {today} at commit `{_commit()}`, profile `{profile.name}` {profile.version}, "
        f"stamp `{stamp(profile)}`, on {machine}."
    )


def _commit() -> str:
    here = Path(__file__).parent
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty=+changes", "--exclude=*"],
            cwd=here, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return said.stdout.strip()
