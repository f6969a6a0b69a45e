"""Texts from outside stand in tables as they are: a bracket in them is neither colour nor an error."""

import io
from typing import Any

import pytest
import rich.console

from cli import doors, fleet, looks, screen

HOSTILE = ["Canon [/b]", "1号[/机]", "笔记本[blue]", "[", "[bold]x"]


class Answering(doors.Door):
    """Capture that has one row to tell."""

    def __init__(self, row: dict[str, Any]) -> None:
        super().__init__("http://capture", "")
        object.__setattr__(self, "_row", row)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return {"items": [vars(self)["_row"]], "next": None}


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What goes to a wide screen."""
    paper = io.StringIO()
    monkeypatch.setattr(screen, "console", rich.console.Console(file=paper, width=400))
    return paper


@pytest.mark.parametrize("field", ["desk_code", "label", "camera", "mode"])
@pytest.mark.parametrize("text", HOSTILE)
def test_the_fleet_shows_what_a_desk_said_of_itself(printed: io.StringIO, field: str, text: str) -> None:
    """Name, camera and mode of a desk with brackets in them."""
    none = ("last_seen_at", "queue", "disk_free_bytes", "camera", "skew_s", "pack_age_s", "mode")
    row = {"station_id": "1", "desk_code": "A1", "label": "1", "state": "enrolled", "online": True, "backlog": 1}
    fleet.show(Answering({**row, **dict.fromkeys(none), field: text}), None, as_json=False)
    assert text in printed.getvalue()


@pytest.mark.parametrize("text", HOSTILE)
def test_who_looked_is_shown_by_any_name(printed: io.StringIO, text: str) -> None:
    """The holder of a token may be called anything."""
    row = {"at": "2024-05-20", "viewer": text, "role": "auditor", "what": "photo", "subject_id": "1"}
    looks.show(Answering(row), "/v1/students/1/views", as_json=False)
    assert text in printed.getvalue()
