"""What was measured, as a part of the photo standard's page: written by the command, known to be stale by its stamp."""

import datetime
import hashlib
import platform
import subprocess
from pathlib import Path

import cv2

from cli.photo import spoiling
from photospec import profiles

BEGIN = "<!-- measured: written by `./gradphoto photo measure --docs`, not by hand -->"
END = "<!-- end of what was measured -->"


def stamp(profile: profiles.Profile) -> str:
    """A digest of the machine's rules and of the flaws: other limits or other flaws want another measurement."""
    judged = [
        (rule.id, rule.measure, rule.low, rule.high, rule.reject_low, rule.reject_high, rule.severity, rule.unmeasured)
        for rule in profile.rules
        if rule.judged_by == "machine"
    ]
    flaws = [(flaw.name, flaw.rules) for flaw in spoiling.FLAWS]
    return hashlib.sha256(repr((judged, flaws)).encode()).hexdigest()[:16]


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
