"""`gradphoto token`: a signed token for a person of the embedded stack."""

from typing import Annotated

import typer

from cli import screen
from cli.stack import stack as stacks
from kit import auth

Ids = Annotated[list[str] | None, typer.Option()]


def token(
    role: Annotated[str, typer.Argument(help="角色 role: " + " ".join(auth.ROLES))],
    directory: screen.Dir = None,
    subject: Annotated[str, typer.Option("--sub", help="持有人 · who holds it.")] = "cli",
    campaign: Ids = None,
    campus: Ids = None,
    college: Ids = None,
    class_: Annotated[list[str] | None, typer.Option("--class")] = None,
    student: Ids = None,
    hours: Annotated[float, typer.Option(min=0.01, max=720, help="有效小时 · valid for so many hours.")] = 8.0,
) -> None:
    """签发令牌(EdDSA JWT)· Mint a token; a scope that is not named has no bounds."""
    named = {"campaign": campaign, "campus": campus, "college": college, "class_": class_, "student": student}
    scope = {name: values for name, values in named.items() if values}
    try:
        minted = stacks.Stack.at(directory).token(role, subject=subject, hours=hours, **scope)
    except FileNotFoundError:
        screen.fail("还没有密钥,请先 ./gradphoto up · no keys yet: say ./gradphoto up first")
    except ValueError as error:
        screen.fail(str(error), 2)
    typer.echo(minted)
