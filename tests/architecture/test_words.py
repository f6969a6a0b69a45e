"""Every message to a person has words, and no personal data gets into a log or a metric."""

import ast
import re
import string

import pytest

from kit import logs, messages
from tests.architecture import source

PROBLEMS = {"Problem", "Invalid", "Unauthenticated", "Refused", "NotFound", "Conflict", "Unavailable"}
SPEAKING = ("kit", "services", "station")
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")


def raised() -> list[tuple[str, ast.Call, str]]:
    """Every problem that is made with a code written out: place, call, code."""
    found = []
    for path in source.files(*SPEAKING):
        for name, call in source.calls(path):
            code = source.text(call.args[0]) if name in PROBLEMS and call.args else None
            if code is not None:
                found.append((source.where(path, call), call, code))
    return found


def placeholders(text: str) -> set[str]:
    """The parameters that a sentence names."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_problems_are_found() -> None:
    """The tests below look at something."""
    assert len(raised()) > 80


@pytest.mark.parametrize(("place", "call", "code"), raised(), ids=[f"{place} {code}" for place, _, code in raised()])
def test_a_problem_has_words_and_their_parameters(place: str, call: ast.Call, code: str) -> None:
    """Its code stands in the catalogue, and it gives every parameter that the words name."""
    words = messages.catalogue().get(code)
    assert words, f"{place}: no words for {code} in kit/messages.toml"
    given = {keyword.arg for keyword in call.keywords}
    if None not in given:
        missing = (placeholders(words.zh) | placeholders(words.en)) - given
        assert not missing, f"{place}: {code} needs {sorted(missing)}"


def texts() -> set[str]:
    """All strings of the source that look like a code, and what f-strings begin with."""
    found: set[str] = set()
    for path in source.files(*SPEAKING, "cli"):
        for node in ast.walk(source.tree(path)):
            if isinstance(node, ast.expr) and (content := source.text(node)):
                found.add(content)
    return found


def test_no_words_are_left_over() -> None:
    """Each code of the catalogue is used somewhere, by itself or composed."""
    used = texts()
    stems = {text for text in used if text.endswith("-")}

    def spoken(code: str) -> bool:
        stem = code.removesuffix("-remedy")
        return stem in used or any(stem.startswith(begun) for begun in stems)

    assert not [code for code in messages.catalogue() if not spoken(code)]


def test_codes_that_travel_as_values_have_words() -> None:
    """A code that a function returns rather than raises (a fault of a row, a finding of a plan) has words too."""
    families = {"roster", "plan", "billing", "verify", "desk"}
    codes = {text for text in texts() if _CODE.fullmatch(text) and text.split("-")[0] in families}
    unknown = codes - set(messages.catalogue())
    assert not {code for code in unknown if not any(known.startswith(f"{code}-") for known in messages.catalogue())}


@pytest.mark.parametrize("code", sorted(messages.catalogue()))
def test_words_are_in_both_languages_and_agree(code: str) -> None:
    """Chinese is Chinese, English has no Chinese, and both name the same parameters."""
    zh, en = messages.catalogue()[code]
    assert re.search(r"[\u4e00-\u9fff]", zh)
    assert en.strip()
    assert placeholders(zh) == placeholders(en), "the two languages name different parameters"
    # A student number is no secret to who may see the row that it is found in.
    assert not placeholders(zh) & (logs.SECRET_FIELDS - {"student_no"}), "a parameter would carry personal data"


LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def logged() -> list[tuple[str, ast.Call]]:
    """Every line of log that our code writes."""
    found = []
    for path in source.files(*SPEAKING):
        for name, call in source.calls(path):
            owner = call.func.value if isinstance(call.func, ast.Attribute) else None
            ours = isinstance(owner, ast.Call) or getattr(owner, "id", "") in {
                "log",
                "logger",
                "_log",
                "_logger",
                "LOG",
            }
            if name in LEVELS and ours:
                found.append((source.where(path, call), call))
    return found


def test_log_lines_are_found() -> None:
    """The test below looks at something."""
    assert len(logged()) > 5


@pytest.mark.parametrize(("place", "call"), logged(), ids=[place for place, _ in logged()])
def test_a_log_line_is_a_code_with_fields(place: str, call: ast.Call) -> None:
    """The event is a constant code, no sentence put together from values; no field is one that would be masked."""
    code = source.text(call.args[0]) if call.args else None
    if place.startswith("kit/bus.py:") and ast.unparse(call.args[0]) == "f'bus.{outcome.name}'":
        code = "bus.retry"  # one of the three named outcomes
    assert code, f"{place}: the event is no constant"
    assert re.fullmatch(r"[a-z0-9_]+([.-][a-z0-9_]+)+", code), f"{place}: {code!r} is no dotted code"
    assert not {keyword.arg for keyword in call.keywords} & logs.SECRET_FIELDS, place


def test_metric_labels_name_no_person() -> None:
    """Campus, desk, route, rule: never a student."""
    personal = logs.SECRET_FIELDS | {"student", "student_id", "capture_id", "class_id", "ticket"}
    for path in source.files(*SPEAKING):
        for name, call in source.calls(path):
            if name in {"counter", "gauge", "histogram"}:
                labels = {source.text(node) for node in ast.walk(call) if isinstance(node, ast.Constant)}
                assert not labels & personal, source.where(path, call)
