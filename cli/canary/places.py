"""Where planted names and numbers must not be: every file, message, object, figure and row of a running stack."""

import asyncio
import contextlib
import json
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aio_pika
import asyncpg
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from cli.stack import ports, secrets
from cli.stack.parts import postgres
from cli.stack.stack import Stack
from kit import broker, objects

#: What is looked through, in both languages.
KINDS = {
    "desk": "台站磁盘 the desk's disk",
    "logs": "日志 logs",
    "messages": "消息 messages and stream",
    "broker": "RabbitMQ 磁盘 the broker's disk",
    "objects": "对象存储 objects and their keys",
    "objects-disk": "对象存储磁盘 the object store's disk",
    "metrics": "指标 metrics",
    "rows": "数据库各表 rows of all tables",
    "database": "数据库磁盘 the database's disk",
    "other": "其余文件 all other files",
}
_FOLDERS = {"stations": "desk", "logs": "logs", "rabbitmq": "broker", "objects": "objects-disk", "postgres": "database"}
#: A stream that has told nothing for so long has told all.
_QUIET_S = 3.0
_METRICS_TIMEOUT_S = 30.0
_PATIENCE_S = 180.0


@dataclass(frozen=True)
class Thing:
    """Something that was looked at."""

    kind: str
    place: str
    content: bytes


@dataclass
class Places:
    """All places of one stack. `tap` is a queue that has heard everything from the day's beginning."""

    stack: Stack
    tap: str | None = None
    metrics: list[str] = field(default_factory=list)

    async def listen(self) -> None:
        """Hear from now on whatever is said on the bus."""
        self.tap = "canary.tap"
        async with self._channel() as channel:
            queue = await channel.declare_queue(self.tap, durable=True)
            await queue.bind(broker.EXCHANGE, "#")

    async def everything(self) -> AsyncIterator[Thing]:
        """Each place in turn; files last, after the database has written its pages."""
        for source in (self._messages(), self._objects(), self._figures(), self._rows()):
            async for thing in source:
                yield thing
        for thing in self._files():
            yield thing
            await asyncio.sleep(0)

    # -- files

    def _files(self) -> Iterator[Thing]:
        root = self.stack.layout.root
        for path in sorted(root.rglob("*")):
            place = path.relative_to(root)
            kind = _FOLDERS.get(place.parts[0], "other")
            # A name in a file's name is a leak as well.
            yield Thing(kind, f"name of {place}", str(place).encode())
            with contextlib.suppress(FileNotFoundError):  # logs turn, databases tidy up
                if path.is_file() and not path.is_symlink():
                    yield Thing(kind, str(place), path.read_bytes())

    # -- the bus

    async def _messages(self) -> AsyncIterator[Thing]:
        async with self._channel() as channel:
            if self.tap is not None:
                queue = await channel.get_queue(self.tap, ensure=False)
                async for message in _given(queue, no_ack=True):
                    yield _thing(self.tap, message)
            async for message in _streamed(channel):
                yield _thing("stream", message)
            for service in secrets.SERVICES:
                queue = await channel.get_queue(broker.dead(service), ensure=False)
                kept = [message async for message in _given(queue, no_ack=False)]
                for message in kept:
                    yield _thing(queue.name, message)
                    await message.reject(requeue=True)

    @contextlib.asynccontextmanager
    async def _channel(self) -> AsyncIterator[AbstractChannel]:
        async with await aio_pika.connect(self.stack.urls()["AMQP_URL"]) as connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=200)
            yield channel

    # -- objects, figures, rows

    async def _objects(self) -> AsyncIterator[Thing]:
        store = objects.Objects(self.stack.urls()["S3_URL"])
        async for key in store.list(""):
            yield Thing("objects", f"key {key}", key.encode())
            yield Thing("objects", key, await store.get(key))

    async def _figures(self) -> AsyncIterator[Thing]:
        urls = [f"{self.stack.url(service)}/metrics" for service in secrets.SERVICES]
        with contextlib.suppress(KeyError):  # a broker that was brought, or one without the plugin, shows none here
            if ports.is_open(port := self.stack.port("rabbitmq-prometheus")):
                urls.append(f"http://{ports.LOOPBACK}:{port}/metrics/per-object")
        for url in [*urls, *self.metrics]:
            yield Thing("metrics", url, await asyncio.to_thread(_read, url))

    async def _rows(self) -> AsyncIterator[Thing]:
        connection = await postgres.connect(self.stack.urls()["DATABASE_URL"])
        try:
            for schema, table in await _tables(connection):
                text: list[bytes] = []
                query = f'select t::text from "{schema}"."{table}" t'  # noqa: S608 - names from the catalogue
                await connection.copy_from_query(query, output=_into(text))
                yield Thing("rows", f"{schema}.{table}", b"".join(text))
        finally:
            await connection.close()
        await self._written_down()

    async def _written_down(self) -> None:
        """Return once the database has written all its pages: one that restarts meanwhile is asked again."""
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                with contextlib.suppress(OSError, asyncpg.PostgresConnectionError):
                    connection = await postgres.connect(self.stack.urls()["DATABASE_URL"])
                    try:
                        await connection.execute("checkpoint")
                        return
                    finally:
                        await connection.close(timeout=5)
                await asyncio.sleep(1)


async def _given(queue: aio_pika.abc.AbstractQueue, *, no_ack: bool) -> AsyncIterator[AbstractIncomingMessage]:
    while (message := await queue.get(no_ack=no_ack, fail=False)) is not None:
        yield message


async def _streamed(channel: AbstractChannel) -> AsyncIterator[AbstractIncomingMessage]:
    """All that the replay stream holds."""
    waiting: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
    queue = await channel.get_queue(broker.STREAM, ensure=False)
    consumer = await queue.consume(waiting.put, arguments={"x-stream-offset": "first"})
    while True:
        try:
            async with asyncio.timeout(_QUIET_S):
                message = await waiting.get()
        except TimeoutError:
            break
        await message.ack()
        yield message
    await queue.cancel(consumer)


def _thing(queue: str, message: AbstractIncomingMessage) -> Thing:
    told = [message.routing_key, message.message_id, message.correlation_id, message.headers]
    return Thing("messages", f"{queue} {message.routing_key}", repr(told).encode() + b"\n" + message.body)


async def _tables(connection: "asyncpg.Connection") -> Sequence[tuple[str, str]]:
    query = (
        "select schemaname, tablename from pg_tables "
        "where schemaname not in ('pg_catalog', 'information_schema') order by 1, 2"
    )
    return [(row["schemaname"], row["tablename"]) for row in await connection.fetch(query)]


def _into(text: list[bytes]) -> Callable[[bytes], Awaitable[None]]:
    async def take(data: bytes) -> None:
        text.append(bytes(data))

    return take


def _read(url: str) -> bytes:
    # Loopback only, so no proxy is asked.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=_METRICS_TIMEOUT_S) as answer:
        content: bytes = answer.read()
    return content


def station_figures(folder: Path) -> str:
    """Where the figures of the station in `folder` are read."""
    return str(json.loads((folder / "door.json").read_text("utf-8"))["metrics"])
