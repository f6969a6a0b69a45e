"""The words of every message to a person: one catalogue, 简体中文 and English, by code."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple


class Words(NamedTuple):
    """What a code says; `{name}` stands for a parameter."""

    zh: str
    en: str


class UnknownCode(LookupError):
    """No words are written for this code in `kit/messages.toml`."""


@cache
def catalogue() -> Mapping[str, Words]:
    """All words by code, read once."""
    text = resources.files("kit").joinpath("messages.toml").read_text(encoding="utf-8")
    return dict(_flatten(tomllib.loads(text)))


def render(code: str, params: Mapping[str, Any]) -> tuple[str, str]:
    """The words of `code` with `params` filled in, as (zh, en).

    Raises:
        UnknownCode: the catalogue has no such code.
        KeyError: a parameter that the words name is missing.
    """
    words = catalogue().get(code)
    if words is None:
        raise UnknownCode(code)
    return words.zh.format_map(params), words.en.format_map(params)


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Words]]:
    for name, entry in table.items():
        if isinstance(entry.get("zh"), str):
            yield f"{prefix}{name}", Words(entry["zh"], entry["en"])
        else:
            yield from _flatten(entry, f"{prefix}{name}.")
