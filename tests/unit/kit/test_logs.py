"""Logs: one JSON object a line, traced, and without personal data."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from kit import logs

#: An ID number of no person (its check digit is right, its region is not) and a number that no operator gives out.
ID_NUMBER = "999999200001011232"
PHONE = "13800000000"


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    """Logging as a service has it; as it was, afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("roster", "DEBUG")
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """What was logged."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_json_with_service_and_ids(capsys: pytest.CaptureFixture[str]) -> None:
    """Service, event, level, time and the ids that are bound stand in every line."""
    logs.configure("roster", "INFO")
    with logs.bound(correlation="c-1", event="e-1"):
        logs.get().info("import.applied", rows=3)
    (line,) = lines(capsys)
    assert line["event"] == "import.applied"
    assert (line["service"], line["level"], line["rows"]) == ("roster", "info", 3)
    assert (line["correlation_id"], line["event_id"]) == ("c-1", "e-1")
    assert str(line["timestamp"]).endswith("Z")


def test_ids_end_with_their_block() -> None:
    """Outside of the block nothing is bound."""
    with logs.bound(correlation="c-1"):
        pass
    assert logs.correlation_id.get() == ""


def test_levels_below_are_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """At WARNING an info line is not written."""
    logs.configure("roster", "WARNING")
    logs.get().info("quiet")
    assert lines(capsys) == []


@pytest.mark.parametrize("field", ["name", "id_number", "phone", "payload", "Authorization"])
def test_personal_and_secret_fields_are_masked(capsys: pytest.CaptureFixture[str], field: str) -> None:
    """Whatever a field of that name holds, at any depth, it is not written."""
    logs.configure("roster")
    logs.get().info("x", **{field: "欧阳"}, rows=[{field: "欧阳", "row": 2}])
    (line,) = lines(capsys)
    assert "欧阳" not in json.dumps(line, ensure_ascii=False)
    assert line["rows"] == [{field: logs.MASK, "row": 2}]


@pytest.mark.parametrize("number", [ID_NUMBER, ID_NUMBER[:-1] + "X", ID_NUMBER[:15], PHONE, f"+86 {PHONE}"])
@pytest.mark.parametrize("text", ["bad value {}", "{}:3", "号码{}。", "Key (id)=({})", "tel-{}"])
def test_numbers_are_masked_inside_texts(number: str, text: str) -> None:
    """An ID number or a mobile number does not survive in a sentence."""
    assert number[-11:] not in logs.mask(text.format(number))


@pytest.mark.parametrize(
    "text",
    [
        "0193c01a-7a00-7000-8000-13800000000a",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "2026-11-22T06:08:53.138000Z",
        "frame 13800000000001",
        "A1-0007",
        "1700000000.123456",
    ],
)
def test_ids_hashes_and_times_are_left_alone(text: str) -> None:
    """Masking does not eat what an operator needs."""
    assert logs.mask(text) == text


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_id_number_survives_any_surroundings(before: str, after: str) -> None:
    """Whatever stands around it, unless it makes the number longer or a word, an ID number is masked."""
    outer = (before[-1:], after[:1])
    if any(char.isascii() and char.isalnum() for char in outer) or any(char.isdigit() for char in outer):
        return
    assert ID_NUMBER not in logs.mask(f"{before}{ID_NUMBER}{after}")


def test_a_traceback_does_not_quote_its_input(capsys: pytest.CaptureFixture[str]) -> None:
    """pydantic quotes the refused value in its error; the log does not."""

    class Row(BaseModel):
        number: int

    logs.configure("roster")
    value = "\u6b27\u9633\u4fee"
    try:
        Row.model_validate({"number": value})
    except ValidationError:
        logs.get().exception("row.bad")
    (line,) = lines(capsys)
    assert "ValidationError" in str(line["exception"])
    assert value not in str(line["exception"])


@pytest.mark.parametrize(
    "text",
    [
        "connect failed: postgresql://roster:hunter2@db/x",
        "[SQL: insert into t values ($1)]\n[parameters: ('hunter2',)]\n(Background)",
        "duplicate key\nDETAIL:  Key (number)=(hunter2) already exists.\nmore",
    ],
)
def test_what_libraries_quote_is_masked(text: str) -> None:
    """Passwords in URLs, SQL parameters and PostgreSQL's details are not written."""
    assert "hunter2" not in logs.mask(text)


def test_libraries_log_through_the_same_door(capsys: pytest.CaptureFixture[str]) -> None:
    """A library's stdlib line is JSON too, masked and traced."""
    logs.configure("roster")
    with logs.bound(correlation="c-2"):
        logging.getLogger("some.library").warning("call %s", PHONE)
    (line,) = lines(capsys)
    assert PHONE not in json.dumps(line)
    assert (line["logger"], line["correlation_id"]) == ("some.library", "c-2")
