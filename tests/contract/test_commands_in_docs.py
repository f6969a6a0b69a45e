"""Each `./gradphoto …` that a document tells somebody to type is understood by the command line as it stands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/*.md", "docs/decisions/*.md", "services/*/README.md", "deploy/*.md", "photospec/*.md")
    for page in ROOT.glob(pattern)
    if page.name != "CHANGELOG.md"
)
#: What stands for something in a synopsis, where its kind matters to the command line.
STANDS_FOR = {"N": "1", "SECONDS": "60", "PART@ACT": "billing@money", "NAME": ""}

WRONG = ["dead show", "dead list --frobnicate", "frobnicate", "audit --grace soon", "looks photo"]


@pytest.fixture(scope="module")
def commands() -> Any:
    """The whole command line."""
    return typer.main.get_command(app.build(list(app.COMMANDS)))


def told(text: str) -> Iterator[str]:
    """The lines of a page that begin with ./gradphoto, in a block or within a sentence."""
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from re.findall(r"^\s*(?:\$ )?(\./gradphoto\b.*)$", block, re.MULTILINE)
    sentences = re.sub(r"^```.*?^```|<!--.*?-->", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"`(\./gradphoto\b[^`]*)`", sentences)


def words(line: str) -> list[str]:
    """What is typed: without the remark, of a choice its first, with all that is optional."""
    bare = re.sub(r"\s#.*$", "", line).replace("[", " ").replace("]", " ").replace("…", "")
    whole = (word if word.startswith("-") or "://" in word else word.split("|")[0] for word in shlex.split(bare)[1:])
    return [word for word in (STANDS_FOR.get(word, word) for word in whole) if word]


def parse(commands: Any, line: list[str]) -> None:
    """Raise what the command line raises when it does not understand; nothing is run."""
    command, context = commands, commands.make_context(app.PROGRAM, list(line))
    rest = [*context._protected_args, *context.args]
    while hasattr(command, "resolve_command"):
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)
        rest = [*getattr(context, "_protected_args", []), *context.args]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_each_command_of_a_page_is_understood(page: Path, commands: Any) -> None:
    """No argument is missing, no option is unknown."""
    wrong = []
    for line in told(page.read_text("utf-8")):
        try:
            parse(commands, words(line))
        except Exception as error:  # noqa: BLE001 - the library's own, which it keeps to itself
            wrong.append(f"{line}: {error}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("line", WRONG)
def test_a_command_that_is_not_understood_is_noticed(line: str, commands: Any) -> None:
    """Without this the pages above would prove nothing; the exit status is that of a wrong command line."""
    with pytest.raises(typer.BadParameter.__mro__[1]) as refused:
        parse(commands, shlex.split(line))
    assert getattr(refused.value, "exit_code", None) == 2


def test_pages_are_read() -> None:
    """The README's own are among them: in its blocks, its tables and its sentences."""
    lines = [words(line) for line in told((ROOT / "README.md").read_text("utf-8"))]
    assert ["demo"] in lines
    assert ["dead", "list"] in lines
