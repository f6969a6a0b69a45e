"""The bad line that faults are tried on: it passes what it should, and fails as ordered."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from cli.faults.proxy import Proxy, Weather


class _Upstream(BaseHTTPRequestHandler):
    """Says back what it was sent, and at which address it was asked."""

    seen: list[bytes]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.seen.append(body)
        answer = f"{self.headers['host']} {self.path} ".encode() + body
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def upstream() -> Iterator[ThreadingHTTPServer]:
    _Upstream.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Upstream)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
async def line(upstream: ThreadingHTTPServer) -> AsyncIterator[Proxy]:
    address = f"127.0.0.1:{upstream.server_port}"
    proxy = Proxy(f"http://{address}", Weather(), lambda body: body.replace(b"inner", b"outer"))
    await proxy.start()
    yield proxy
    await proxy.close()


async def _put(line: Proxy, body: bytes) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        return await client.put(f"{line.url}/a?b=c", content=body)


async def test_it_passes_on_under_the_upstream_s_own_name(line: Proxy) -> None:
    """Host and length are right on both sides, and an answer that names the inner address names the outer one."""
    answer = await _put(line, b"inner " * 50_000)
    host = line._to
    assert answer.content == f"{host} /a?b=c ".encode() + b"outer " * 50_000
    assert _Upstream.seen == [b"inner " * 50_000]
    assert line.weather.passed == 1


async def test_half_of_the_failures_come_after_the_work(line: Proxy) -> None:
    """All requests are answered 503; some of them were done all the same."""
    line.weather.failing = 1.0
    assert {(await _put(line, bytes([number]))).status_code for number in range(30)} == {503}
    assert 0 < len(_Upstream.seen) < 30
    assert line.weather.spoilt == 30


async def test_a_cut_breaks_a_request_in_its_middle(line: Proxy) -> None:
    """Nothing of it reaches the other side; the next one does."""
    line.weather.cut_after_bytes, line.weather.cuts = 1000, 1
    with pytest.raises(httpx.TransportError):
        await _put(line, bytes(500_000))
    assert _Upstream.seen == []
    assert (await _put(line, bytes(500_000))).status_code == 200


async def test_offline_nobody_answers(line: Proxy) -> None:
    """Connections break at once, also those that are open."""
    with socket.create_connection(("127.0.0.1", int(line.url.rpartition(":")[2]))) as idle:
        await asyncio.sleep(0.05)
        line.weather.online = False
        line.cut_all()
        with pytest.raises(httpx.TransportError):
            await _put(line, b"x")
        idle.settimeout(30)
        try:
            left = await asyncio.to_thread(idle.recv, 1)
        except ConnectionResetError:
            left = b""
        assert left == b""
