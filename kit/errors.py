"""Problems: what can be wrong, as a code with parameters. Their words stand in `kit/messages.toml`.

A domain raises one of these; `kit.web` maps it to a status, `kit.bus` to an outcome. Nothing else decides that.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

#: What a parameter may be. Never a name, an ID number or a phone: parameters reach logs and screens.
Param = str | int


class Problem(Exception):
    """Something is wrong that a person or a program can act on."""

    status: ClassVar[int] = 500

    def __init__(self, code: str, **params: Param) -> None:
        super().__init__(code)
        self.code = code
        self.params: Mapping[str, Param] = params

    def __str__(self) -> str:
        return " ".join([self.code, *(f"{name}={value}" for name, value in self.params.items())])


class Invalid(Problem):
    """The request is well formed and its content is not acceptable; `rows` names each bad row of a file."""

    status = 422

    def __init__(self, code: str, *, rows: list[dict[str, Any]] | None = None, **params: Param) -> None:
        super().__init__(code, **params)
        self.rows = rows or []


class Unauthenticated(Problem):
    """We do not know who asks: sign in, or sign the request, and ask again."""

    status = 401


class Refused(Problem):
    """We know who asks, and this is not theirs to do, or not to be done now."""

    status = 403


class NotFound(Problem):
    """What was asked for does not exist."""

    status = 404


class Conflict(Problem):
    """The request contradicts what is stored; asking again will not help."""

    status = 409


class Unavailable(Problem):
    """Something that we need is away for the moment: ask again later."""

    status = 503
