"""Leaks that are made on purpose, one of each kind: what the search must find, or its silence says nothing."""

import base64
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aio_pika

from cli.canary.forms import Canary
from cli.canary.places import Places
from cli.stack import ports
from cli.stack.parts import postgres
from kit import broker, metrics, objects


@contextlib.asynccontextmanager
async def planted(places: Places, desk: Path, name: Canary, number: Canary) -> AsyncIterator[None]:
    """A leak of a name or of a number in each kind of place, each in another form, while the block runs."""
    layout = places.stack.layout
    (desk / "leak.bin").write_bytes(b"\0\1" + name.text.encode("gb18030") + b"\0")
    (layout.logs / "leak.log").write_text(json.dumps({"event": "leak", "who": name.text}) + "\n", "ascii")
    (layout.root / "leak.txt").write_bytes(base64.b64encode(b"." + number.text.encode()))
    await _say(places, number)
    store = objects.Objects(places.stack.urls()["S3_URL"])
    await store.put(f"leaks/{number.text}.txt", name.text.encode("utf-16-le"), "text/plain")
    await _write_row(places, name, number)
    port = ports.choose(["leak"], {})["leak"]
    with metrics.served(f"{ports.LOOPBACK}:{port}"):
        metrics.gauge("gradphoto_leak", "A leak on purpose", ("who",)).labels(who=name.text).set(1)
        places.metrics.append(f"http://{ports.LOOPBACK}:{port}/metrics")
        yield


async def _say(places: Places, number: Canary) -> None:
    async with await aio_pika.connect(places.stack.urls()["AMQP_URL"]) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(broker.EXCHANGE, ensure=False)
        body = json.dumps({"id_number": number.text}).encode()
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await exchange.publish(message, "canary.leak")


async def _write_row(places: Places, name: Canary, number: Canary) -> None:
    connection = await postgres.connect(places.stack.urls()["DATABASE_URL"])
    try:
        await connection.execute("create table if not exists leaks (who text, packed bytea)")
        await connection.execute("insert into leaks values ($1, $2)", name.text, number.text.encode())
    finally:
        await connection.close()
