"""`gradphoto looks`: who opened a photo, or what is kept of a student, and when."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import rich.table
import typer

from cli import doors, screen

app = typer.Typer(help="谁看过照片 · Who looked at pictures, and when.", no_args_is_help=True)

#: What was opened, in both languages.
_WHAT = {
    "photo": "照片 photo",
    "original": "原图 original",
    "history": "照片历史 history of a photo",
    "student": "学生记录 record of a student",
    "keys": "死机台站的密钥 keys of a dead desk",
}
AsJson = Annotated[bool, typer.Option("--json", help="机器可读 · for programs.")]


@app.command()
def photo(
    capture: Annotated[str, typer.Argument(help="照片编号 · id of the capture.")],
    directory: screen.Dir = None,
    as_json: AsJson = False,
    server: doors.Server = None,
    token: doors.Token = None,
) -> None:
    """谁看过这张照片 · Who opened this photo, its history, or the keys of the dead desk that took it."""
    show(doors.capture(directory, server, token, role="auditor"), f"/v1/captures/{capture}/views", as_json=as_json)


@app.command()
def student(
    student_id: Annotated[str, typer.Argument(metavar="STUDENT", help="学生编号 · id of the student.")],
    directory: screen.Dir = None,
    as_json: AsJson = False,
    server: doors.Server = None,
    token: doors.Token = None,
) -> None:
    """谁看过这名学生的照片与记录 · Who opened this student's photos, or what is kept of them."""
    show(doors.capture(directory, server, token, role="auditor"), f"/v1/students/{student_id}/views", as_json=as_json)


def show(capture: doors.Door, path: str, *, as_json: bool) -> None:
    """Print all looks that a list of capture's tells of."""
    looks = list(_all(capture, path))
    if as_json:
        screen.console.print_json(json.dumps(looks, ensure_ascii=False))
        return
    id_column = rich.table.Column("编号 id", no_wrap=True)
    table = rich.table.Table("时间 at", "何人 who", "角色 role", "内容 what", id_column)
    for one in looks:
        what = _WHAT.get(one["what"], one["what"])
        table.add_row(one["at"], screen.plain(one["viewer"]), one["role"], what, one["subject_id"])
    screen.console.print(table if looks else "无人看过 · nobody looked")


def _all(capture: doors.Door, path: str) -> Iterator[dict[str, Any]]:
    after: int | None = 0
    while after is not None:
        page = capture.ask("GET", f"{path}?after={after}&limit=1000")
        yield from page["items"]
        after = page["next"]
