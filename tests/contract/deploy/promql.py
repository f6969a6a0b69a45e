"""As much of PromQL as the tests read: which series an expression names, and by which labels."""

import re
from dataclasses import dataclass

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SERIES = re.compile(r"[a-zA-Z_][a-zA-Z0-9_:]*")
_SELECTOR = re.compile(r"([a-zA-Z_][a-zA-Z0-9_:]*)\s*\{([^}]*)\}")
_WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}


@dataclass(frozen=True)
class Read:
    """What one expression asks for."""

    series: frozenset[str]
    #: (series, label) as they stand in selectors `series{label="…"}`.
    selected: frozenset[tuple[str, str]]
    #: Labels in `by (…)` and `on (…)`.
    grouped: frozenset[str]


def read(expression: str) -> Read:
    """Take an expression apart. Function names are what stands before a bracket."""
    plain = _TEXT.sub('""', expression)
    selected = {
        (series, label)
        for series, inside in _SELECTOR.findall(plain)
        for label in re.findall(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)", inside)
    }
    grouped = {label.strip() for _, inside in _GROUPING.findall(plain) for label in inside.split(",") if label.strip()}
    rest = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", _GROUPING.sub(" ", plain))
    functions = set(re.findall(r"([a-zA-Z_]\w*)\s*\(", rest))
    words = set(re.findall(r"\b(by|on|without|ignoring)\b", rest))
    names = set(_SERIES.findall(re.sub(r"\b\d+(\.\d+)?(e\d+)?\b", " ", rest)))
    return Read(frozenset(names - functions - words - _WORDS), frozenset(selected), frozenset(grouped))
