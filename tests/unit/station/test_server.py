"""Whoever answers, and whatever: it is our server's word, or a problem that the agent knows how to bear."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from gradphoto_contracts import ids
from kit import clock as clocks
from kit import crypto
from kit import ids as new_ids
from kit.errors import Unavailable
from station import server, timekeeping

Act = Callable[[server.Server], Awaitable[object]]

_PORTAL = b"<html><script>location = 'http://10.0.0.1/login'</script></html>"
ANSWERS: dict[str, tuple[int, bytes, str]] = {
    "a sign-in page": (200, _PORTAL, ""),
    "a redirection": (302, b"", "location: http://10.0.0.1/login"),
    "sign in first": (511, _PORTAL, ""),
    "a list": (200, b"[]", ""),
    "nothing": (200, b"", ""),
    "empty JSON": (200, b"{}", ""),
    "nested without end": (200, b"[" * 100_000, ""),
    "another's JSON": (200, b'{"server_time": 1, "state": [], "url": {}, "exists": null}', ""),
    "another's time": (200, b'{"server_time": "9999-12-31T23:59:59Z", "state": 1}', ""),
    "broken gzip": (200, gzip.compress(b"{}" * 50)[:-20] + b"\xff" * 20, "content-encoding: gzip"),
    "no text": (200, b"\xff\xfe\x00", ""),
    "a clock without time": (401, b'{"code": "station-clock-skew"}', ""),
    "a clock with another's time": (
        401,
        b'{"code": "station-clock-skew", "params": {"server_time": "now"}}',
        "",
    ),
}
ACTS: dict[str, Act] = {
    "heartbeat": lambda client: client.heartbeat({}),
    "put": lambda client: client.put("/v1/checkins/1", {}),
    "ask_upload": lambda client: client.ask_upload(ids.CaptureId(new_ids.new()), "00", 1),
    "desk_pack": lambda client: client.desk_pack(None),
    "hall": lambda client: client.hall(),
}


@asynccontextmanager
async def _answering(
    folder: Path, status: int, body: bytes, header: str = "", *, host: str = "127.0.0.1"
) -> AsyncIterator[server.Server]:
    """A client, and somebody who gives the same answer to everything."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        lines = [
            f"HTTP/1.1 {status} X",
            f"content-length: {len(body)}",
            "connection: close",
            *([header] * bool(header)),
        ]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    clock = timekeeping.StationClock(clocks.SystemClock(), folder / "skew.json")
    client = server.Server(f"http://{host}:{port}", new_ids.new(), crypto.new_key()[0], clock)
    try:
        yield client
    finally:
        await client.close()
        listening.close()
        assert abs(clock.skew) < timedelta(days=1), "a stranger set the clock"


@pytest.mark.parametrize("answer", ANSWERS)
async def test_a_stranger_s_answer_is_no_answer(answer: str, tmp_path: Path) -> None:
    """Whatever is asked, a stranger's answer is told as that, and as nothing else."""
    async with _answering(tmp_path, *ANSWERS[answer]) as client:
        for act in ACTS.values():
            with pytest.raises(server.Unreachable) as told:
                await act(client)
            assert told.value.code == "server-not-ours"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"code": 7}', b'{"code": "A Name", "params": []}'])
async def test_a_refusal_in_no_words_of_ours_is_told_by_its_number(body: bytes, tmp_path: Path) -> None:
    """A gateway's own 403 refuses one message: by number, since its text may say anything."""
    async with _answering(tmp_path, 403, body) as client:
        with pytest.raises(server.RefusedByServer, match="http-403"):
            await client.put("/v1/checkins/1", {})


async def test_a_refusal_keeps_what_words_can_name(tmp_path: Path) -> None:
    """Parameters of other kinds, and one called as our own argument is, do no harm."""
    body = json.dumps({"code": "ticket-taken", "params": {"ticket": "A-1", "code": "x", "more": [1]}}).encode()
    async with _answering(tmp_path, 409, body) as client:
        with pytest.raises(server.RefusedByServer) as told:
            await client.put("/v1/checkins/1", {})
    assert (told.value.code, dict(told.value.params)) == ("ticket-taken", {"ticket": "A-1"})


@pytest.mark.parametrize("url", ["http://10.255.255.1:9", "http://localhost.example:9", "http://127.0.0.1.example"])
async def test_plain_http_is_for_this_machine_alone(url: str, tmp_path: Path) -> None:
    """Nothing is sent in the clear over a network, neither a request nor a picture; a rehearsal may."""
    clock = timekeeping.StationClock(clocks.SystemClock(), tmp_path / "skew.json")
    client = server.Server(url, new_ids.new(), crypto.new_key()[0], clock)
    for act in ACTS.values():
        with pytest.raises(server.Unreachable) as told:
            await act(client)
        assert told.value.code == "server-not-https"
    with pytest.raises(Unavailable, match="object-store-not-https"):
        await client.upload(f"{url}/x", b"jpeg")
    with pytest.raises(server.Unreachable) as told:
        await client.enrol("code", "key")
    assert told.value.code == "server-not-https"
    await client.close()
    assert server.Server(url, new_ids.new(), "", clock, plain_http=True)._private(url)
