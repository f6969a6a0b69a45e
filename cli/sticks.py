"""Sticks with dead desks' work, brought to a running capture service."""

from pathlib import Path
from typing import Any

import httpx
import rich.progress
import typer

from cli import doors, screen
from kit.errors import Problem, Unavailable
from station import __main__ as program
from station import importing


class Server:
    """Capture's doors for what another desk brings, asked as a person with a token."""

    def __init__(self, door: doors.Door) -> None:
        headers = {"authorization": f"Bearer {door.token}"}
        self._url = door.url.rstrip("/")
        self._client = httpx.Client(timeout=60, trust_env=False)
        self._headers = headers

    def open_keys(self, station_id: str, body: dict[str, Any]) -> str:
        return str(self._ask("POST", station_id, "keys", body)["box"])

    def ask_upload(self, station_id: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._ask("POST", station_id, "uploads", body)

    def upload(self, url: str, jpeg: bytes) -> None:
        try:
            answer = self._client.put(url, content=jpeg)
        except httpx.TransportError as error:
            raise Unavailable("object-store-unavailable") from error
        if not answer.is_success:
            raise Unavailable("object-store-unavailable")

    def bring(self, station_id: str, kind: str, key: str, body: dict[str, Any]) -> None:
        self._ask("PUT", station_id, f"{kind}/{key}", body)

    def close(self) -> None:
        self._client.close()

    def _ask(self, method: str, station_id: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        url = f"{self._url}/v1/imports/{station_id}/{path}"
        try:
            answer = self._client.request(method, url, json=body, headers=self._headers)
        except httpx.TransportError as error:
            raise Unavailable("server-unreachable") from error
        try:
            told = answer.json()
        except ValueError:
            told = {}
        if not answer.is_success:
            raise Problem(str(told.get("code", f"http-{answer.status_code}")), **told.get("params", {}))
        decoded: dict[str, Any] = told
        return decoded


def take_in(door: doors.Door, folder: Path) -> None:
    """Bring every export in the folder, and say what became of each file that is not well."""
    found = importing.sticks(folder)
    if not found:
        screen.fail(f"{folder} 里没有台站导出的数据 · holds no export of a station", 2)
    server = Server(door)
    try:
        whole = [_one(server, stick) for stick in found]
    finally:
        server.close()
    if not all(whole):
        raise typer.Exit(1)


def _one(server: Server, stick: Path) -> bool:
    with rich.progress.Progress(console=screen.errors) as bars:
        bar = bars.add_task(screen.plain(stick.name))
        try:
            done = importing.take_in(stick, server, lambda at, of: bars.update(bar, completed=at, total=of))
        except Problem as problem:
            screen.fail(program.explained(problem))
    for one in done.files:
        if one.state != "ok":
            screen.tell(f"✗ {one.name}: {one.state} {one.code}")
    bad = sum(one.state != "ok" for one in done.files)
    screen.tell(f"{done.desk_code}: 照片 frames {len(done.frames)}, 文件 files {len(done.files)}, 有问题 bad {bad}")
    return done.whole
