"""The state directory of one embedded stack: where each thing lies, and how `stack.json` is read and written."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
DEFAULT_DIR = PROJECT / ".gradphoto"


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths under one state directory; nothing of a stack lies outside it."""

    root: Path

    @classmethod
    def at(cls, root: Path | None = None) -> "Layout":
        """Make the directory if it is missing; others may pass through it, not list it."""
        layout = cls((root or DEFAULT_DIR).expanduser().resolve())
        layout.root.mkdir(parents=True, exist_ok=True)
        layout.root.chmod(0o711)
        layout.logs.mkdir(exist_ok=True)
        return layout

    @property
    def secrets(self) -> Path:
        return self.root / "secrets.json"

    @property
    def state(self) -> Path:
        return self.root / "stack.json"

    @property
    def lock(self) -> Path:
        return self.root / "supervisor.lock"

    @property
    def clock(self) -> Path:
        return self.root / "clock.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def rabbitmq(self) -> Path:
        return self.root / "rabbitmq"

    @property
    def objects(self) -> Path:
        return self.root / "objects"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def read_state(self) -> dict[str, Any]:
        """The last written `stack.json`, or an empty dict if no stack was ever started here."""
        try:
            state: dict[str, Any] = json.loads(self.state.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        return state

    def write_state(self, state: dict[str, Any]) -> None:
        write_atomically(self.state, json.dumps(state, ensure_ascii=False, indent=1))


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace the file in one step: a reader sees the old text or the new, never half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def log_tail(path: Path, lines: int = 15) -> str:
    """The last lines of a log, for an error message; empty if there is none."""
    try:
        return "\n".join(path.read_text("utf-8", errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
