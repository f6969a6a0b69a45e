"""A bad line between a desk and what it talks to: an HTTP proxy of a screenful that fails to order.

One request a connection. It stands in two places, before capture and before the object store, whose presigned
addresses are turned towards it in capture's answers.
"""

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HOP = re.compile(rb"\r\n(?:connection|host|content-length|expect):[^\r]*", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


@dataclass
class Weather:
    """What happens on the line; changed at any time. `passed` and `spoilt` count requests."""

    online: bool = True
    #: This share of requests is answered with `status`: half of them before they are done, half after.
    failing: float = 0.0
    status: int = 503
    #: Only requests whose first line holds this fail.
    only: bytes = b""
    #: Connections break after so many bytes of a request's body, so many times.
    cut_after_bytes: int = 0
    cuts: int = 0
    passed: int = 0
    spoilt: int = 0
    dice: random.Random = field(default_factory=lambda: random.Random(3))

    def calm(self) -> None:
        """All is well from here on."""
        self.online, self.failing, self.cuts = True, 0.0, 0


class Proxy:
    """Listens on a port of its own and passes on to `upstream`, `http://host:port`, in the weather of the moment."""

    def __init__(self, upstream: str, weather: Weather, rewrite: Callable[[bytes], bytes] = lambda body: body) -> None:
        self._to, self.weather, self._rewrite = urlsplit(upstream).netloc, weather, rewrite
        self._server: asyncio.Server
        self._open: set[asyncio.StreamWriter] = set()
        self.url = ""

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Break what is open, and listen no more."""
        self.cut_all()
        self._server.close()
        await self._server.wait_closed()

    def cut_all(self) -> None:
        """Break every connection that there is, as when the Wi-Fi goes."""
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if self.weather.online:
                await self._exchange(reader, writer)
        self._open.discard(writer)
        writer.transport.abort() if not self.weather.online else writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(_HEAD_END)
        length = _length(head)
        weather = self.weather
        if length > weather.cut_after_bytes and weather.cuts > 0:
            weather.cuts -= 1
            weather.spoilt += 1
            await reader.readexactly(weather.cut_after_bytes)
            writer.transport.abort()
            return
        body = await reader.readexactly(length)
        fate = weather.dice.random() if weather.only in head.partition(b"\r\n")[0] else 1.0
        answer = self._refusal() if fate < weather.failing / 2 else await self._pass(head, body)
        if weather.failing / 2 <= fate < weather.failing:
            answer = self._refusal()
        weather.spoilt += fate < weather.failing
        weather.passed += fate >= weather.failing
        writer.write(answer)
        await writer.drain()

    async def _pass(self, head: bytes, body: bytes) -> bytes:
        host, _, port = self._to.partition(":")
        async with _connected(host, int(port)) as (reader, writer):
            line, _, rest = head.partition(b"\r\n")
            kept = _HOP.sub(b"", b"\r\n" + rest[: -len(_HEAD_END)])
            ours = f"\r\nhost: {self._to}\r\nconnection: close\r\ncontent-length: {len(body)}".encode()
            writer.write(line + kept + ours + _HEAD_END + body)
            await writer.drain()
            answer_head, _, answer = (await reader.read()).partition(_HEAD_END)
        if not answer_head:
            return self._refusal(502)
        if b"transfer-encoding: chunked" in answer_head.lower():
            answer = _unchunked(answer)
            answer_head = re.sub(rb"\r\ntransfer-encoding:[^\r]*", b"", answer_head, flags=re.IGNORECASE)
        answer = self._rewrite(answer)
        told = f"\r\nconnection: close\r\ncontent-length: {len(answer)}".encode()
        return _HOP.sub(b"", answer_head) + told + _HEAD_END + answer

    def _refusal(self, status: int | None = None) -> bytes:
        body = b'{"code": "storm"}'
        head = f"HTTP/1.1 {status or self.weather.status} Storm\r\nconnection: close\r\ncontent-length: {len(body)}"
        return head.encode() + b"\r\ncontent-type: application/json" + _HEAD_END + body


@contextlib.asynccontextmanager
async def _connected(host: str, port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield reader, writer
    finally:
        writer.close()


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0


def _unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size.partition(b";")[0] or b"0", 16)
        whole, body = whole + body[:length], body[length + 2 :]
    return whole
