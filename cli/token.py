"""`gradphoto token`: a signed token for a person, of the embedded stack or of the one that docker compose runs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import env_file as env_files
from cli import screen
from cli.stack import stack as stacks
from kit import auth


def _bound(zh: str, en: str, *names: str) -> Any:
    """An option that narrows the token; it may be said again for another one."""
    return typer.Option(*names, help=f"只限{zh},可重复 · only this {en}; may be said again.")


def token(
    role: Annotated[str, typer.Argument(help="角色 role: " + " ".join(auth.ROLES))],
    directory: screen.Dir = None,
    subject: Annotated[str, typer.Option("--sub", help="持有人 · who holds it.")] = "cli",
    campaign: Annotated[list[str] | None, _bound("此批次(编号)", "campaign (id)")] = None,
    campus: Annotated[list[str] | None, _bound("此校区(编号)", "campus (id)")] = None,
    college: Annotated[list[str] | None, _bound("此学院(名称)", "college (name)")] = None,
    class_: Annotated[list[str] | None, _bound("此班级(编号)", "class (id)", "--class")] = None,
    student: Annotated[list[str] | None, _bound("此学生(编号)", "student (id)")] = None,
    hours: Annotated[float, typer.Option(min=0.01, max=720, help="有效小时 · valid for so many hours.")] = 8.0,
    env_file: Annotated[
        Path | None,
        typer.Option("--env-file", help="docker compose 的 .env · sign with the key in it."),
    ] = None,
) -> None:
    """签发令牌(Ed25519 JWT)· Mint a token; a scope that is not named has no bounds."""
    named = {"campaign": campaign, "campus": campus, "college": college, "class_": class_, "student": student}
    scope = {name: values for name, values in named.items() if values}
    try:
        if env_file is None:
            minted = stacks.Stack.at(directory).token(role, subject=subject, hours=hours, **scope)
        else:
            minted = _for_compose(env_file, role, subject, hours, scope)
    except FileNotFoundError:
        screen.fail(
            "还没有密钥,请先 ./gradphoto up(docker compose 则 ./gradphoto secrets)· "
            "no keys yet: say ./gradphoto up first, or for docker compose ./gradphoto secrets"
        )
    except KeyError:
        screen.fail(f"{env_file} 中没有 AUTH_PRIVATE_KEY · holds no AUTH_PRIVATE_KEY")
    except ValueError as error:
        screen.fail(str(error), 2)
    typer.echo(minted)


def _for_compose(path: Path, role: str, subject: str, hours: float, scope: dict[str, list[str]]) -> str:
    bounds = {name.rstrip("_"): values for name, values in scope.items()}
    key = env_files.private_key(path)
    return auth.mint(key, subject, role, bounds, datetime.now(UTC), timedelta(hours=hours))
