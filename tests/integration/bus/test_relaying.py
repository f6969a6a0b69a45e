"""The relay on the real database: what was committed is said, in the order of commits, by one leader at a time."""

import asyncio
import contextlib
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from gradphoto_contracts.envelope import Envelope
from kit import broker, bus, db, errors, ids, outbox, stream, topology
from tests.integration.bus import things


class Recorder:
    """A bus that writes down what it is handed, and fails where it is told to."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.failing: set[tuple[str, int]] = set()

    async def publish_window(self, envelopes: Sequence[Envelope]) -> list[bool | Exception]:
        return [self._take(one) for one in envelopes]

    def _take(self, envelope: Envelope) -> bool | Exception:
        about = (envelope.subject, int(envelope.data["version"]))
        if about in self.failing:
            self.failing.remove(about)
            return errors.Unavailable("message-not-taken")
        self.taken.append(envelope)
        return True


@pytest.fixture
def recorder() -> Recorder:
    """Where the relay of the test publishes."""
    return Recorder()


@pytest.fixture
def relay(database: db.Database, recorder: Recorder) -> outbox.Relay:
    """A relay from the test's outbox to the recorder."""
    return outbox.Relay(database, things.OUTBOX, recorder, things.SCHEMA)


async def say(tx: AsyncConnection, thing: str, *versions: int) -> None:
    """Put events about `thing` into the outbox, in the caller's transaction."""
    events = outbox.Outbox(tx, things.OUTBOX, "things", datetime.now(UTC), ids.new)
    for version in versions:
        await events.add(things.ThingHappenedV1(thing=thing, version=version))


async def unsent(database: db.Database) -> int:
    """How many events wait."""
    async with database.read() as tx:
        waiting = sa.select(sa.func.count()).select_from(things.OUTBOX).where(things.OUTBOX.c.sent_at.is_(None))
        return int((await tx.execute(waiting)).scalar_one())


async def test_what_was_sent_long_ago_is_taken_away(database: db.Database, relay: outbox.Relay) -> None:
    """A week after they were sent, and no sooner; what waits stays, however old it is."""
    async with database.transaction() as tx:
        await say(tx, "old", 1, 2)
        await say(tx, "new", 1)
        for thing, days in (("old", 8), ("new", 6)):
            sent = things.OUTBOX.update().where(things.OUTBOX.c.subject == thing)
            await tx.execute(sent.values(sent_at=datetime.now(UTC) - timedelta(days=days)))
        await say(tx, "waiting", 1)

    async def left() -> list[str]:
        async with database.read() as tx:
            return list((await tx.execute(sa.select(things.OUTBOX.c.subject).order_by("seq"))).scalars())

    assert await left() == ["old", "old", "new", "waiting"]
    async with things.beside(relay.run()):
        async with asyncio.timeout(60):
            while await left() != ["new", "waiting"]:  # noqa: ASYNC110 - another connection's work
                await asyncio.sleep(0.05)


async def test_what_is_committed_is_said_once(database: db.Database, relay: outbox.Relay, recorder: Recorder) -> None:
    """Committed events arrive in order and are marked; those of a rolled back transaction never do."""
    async with things.beside(relay.run()):
        with contextlib.suppress(ZeroDivisionError):
            async with database.transaction() as tx:
                await say(tx, "undone", 1)
                raise ZeroDivisionError
        async with database.transaction() as tx:
            await say(tx, "done", 1, 2, 3)
        await things.until(lambda: len(recorder.taken) == 3)
    assert things.versions(recorder.taken, "done") == [1, 2, 3]
    assert await unsent(database) == 0


async def test_thousands_at_once_keep_their_order(
    database: db.Database, relay: outbox.Relay, recorder: Recorder
) -> None:
    """An import's events, many windows of them, arrive complete and in order."""
    async with database.transaction() as tx:
        events = outbox.Outbox(tx, things.OUTBOX, "things", datetime.now(UTC), ids.new)
        await events.add_all(things.ThingHappenedV1(thing=f"thing{n % 7}", version=n + 1) for n in range(3000))
    async with things.beside(relay.run()):
        await things.until(lambda: len(recorder.taken) == 3000)
    assert [one.data["version"] for one in recorder.taken] == list(range(1, 3001))


async def test_a_commit_wakes_the_relay(
    database: db.Database, relay: outbox.Relay, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NOTIFY brings an event out long before the relay would look by itself."""
    monkeypatch.setattr(outbox, "POLL_S", 60.0)
    async with things.beside(relay.run()):
        for version in range(1, 6):
            async with database.transaction() as tx:
                await say(tx, "thing", version)
            await things.until(lambda version=version: len(recorder.taken) == version, 10)  # type: ignore[misc]
            await asyncio.sleep(0.1)


async def test_a_long_transaction_holds_back_what_committed_after_it(
    database: db.Database, relay: outbox.Relay, recorder: Recorder
) -> None:
    """While an older transaction is open its place is kept; a reader by `seq` alone passes it and never comes back."""
    by_seq_alone: list[int] = []

    async def look() -> None:
        after = max(by_seq_alone, default=0)
        async with database.read() as reader:
            rows = await reader.execute(
                sa.select(things.OUTBOX.c.seq).where(things.OUTBOX.c.seq > after).order_by(things.OUTBOX.c.seq)
            )
            by_seq_alone.extend(rows.scalars())

    async with things.beside(relay.run()):
        async with database.transaction() as long:
            await say(long, "thing", 1)
            async with database.transaction() as short:
                await say(short, "thing", 2)
            await asyncio.sleep(1.5)
            await look()
            assert recorder.taken == []
        await look()
        await things.until(lambda: len(recorder.taken) == 2)
    assert things.versions(recorder.taken, "thing") == [1, 2]
    assert by_seq_alone == [2], "the negative control must lose the first event, or this test proves nothing"


async def test_an_unconfirmed_event_holds_back_those_of_its_subject_alone(
    database: db.Database, relay: outbox.Relay, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a refusal nothing of the subject passes the refused event, and other subjects go on."""
    monkeypatch.setattr(outbox, "RETRY_S", 0.05)
    recorder.failing = {("a", 2)}
    async with database.transaction() as tx:
        await say(tx, "a", 1, 2, 3)
        await say(tx, "b", 1, 2)
    async with things.beside(relay.run()):
        await things.until(lambda: len(recorder.taken) == 5)
    assert things.versions(recorder.taken, "a") == [1, 2, 3]
    assert things.versions(recorder.taken, "b") == [1, 2]


async def test_a_leader_that_loses_its_connection_is_followed_by_another(
    database: db.Database, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the lock's connection the lead is gone: another relay takes over, and nothing is missed.

    What was published and not yet marked when the connection went is published again: hearers suppress repeats.
    """
    monkeypatch.setattr(outbox, "RETRY_S", 0.05)
    other = Recorder()
    relays = [outbox.Relay(database, things.OUTBOX, one, things.SCHEMA) for one in (recorder, other)]

    def said() -> set[int]:
        return {*things.versions(recorder.taken, "thing"), *things.versions(other.taken, "thing")}

    async with things.beside(*(relay.run() for relay in relays)):
        for version in range(1, 6):
            async with database.transaction() as tx:
                await say(tx, "thing", version)
            await things.until(lambda version=version: version in said())  # type: ignore[misc]
            async with database.transaction() as tx:
                await tx.execute(sa.text(END_LEADER))
    assert said() == {1, 2, 3, 4, 5}


END_LEADER = "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted"


async def test_sent_rows_are_taken_away_after_a_week(
    database: db.Database, relay: outbox.Relay, recorder: Recorder
) -> None:
    """Old rows that were sent go; younger ones, and any that was not sent, stay."""
    async with database.transaction() as tx:
        await say(tx, "old", 1)
        await say(tx, "young", 1)
        long_ago = datetime.now(UTC) - timedelta(days=8)
        about = things.OUTBOX.c.subject
        await tx.execute(things.OUTBOX.update().where(about == "old").values(sent_at=long_ago, created_at=long_ago))
    async with things.beside(relay.run()):
        await things.until(lambda: len(recorder.taken) == 1)
    async with database.read() as tx:
        assert (await tx.execute(sa.select(about))).scalars().all() == ["young"]


@contextlib.asynccontextmanager
async def relay_process(database: db.Database, amqp_url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A relay in a process of its own."""
    command = (sys.executable, "-m", "tests.integration.bus.relay_process", database.url, amqp_url)
    process = await asyncio.create_subprocess_exec(*command)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_a_killed_leader_loses_nothing_and_keeps_the_order(database: db.Database, amqp_url: str) -> None:
    """kill -9 of the leading relay amid its work: the other goes on, nothing is lost, no subject is out of order."""
    await topology.declare(amqp_url, {})
    total, subjects = 4000, 20
    names = [things.name() for _ in range(subjects)]
    heard: dict[str, list[int]] = defaultdict(list)

    async def hear(_: int, envelope: Envelope) -> None:
        if envelope.subject in names:
            heard[envelope.subject].append(int(envelope.data["version"]))

    async def produce() -> None:
        for n in range(total // 100):
            async with database.transaction() as tx:
                events = outbox.Outbox(tx, things.OUTBOX, "things", datetime.now(UTC), ids.new)
                await events.add_all(
                    things.ThingHappenedV1(thing=name, version=n * 5 + m + 1) for m in range(5) for name in names
                )

    async with (
        relay_process(database, amqp_url) as one,
        relay_process(database, amqp_url) as other,
        things.beside(stream.Subscriber(amqp_url, hear, "first").run()),
    ):
        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            await things.until(lambda: sum(map(len, heard.values())) > 500, STARTING_S)
            leader = await leading(database, [one, other])
            leader.send_signal(signal.SIGKILL)
        await things.until(lambda: all(set(versions) == set(range(1, 201)) for versions in heard.values()), STARTING_S)
    assert await unsent(database) == 0
    for versions in heard.values():
        assert newest_only(versions) == list(range(1, 201))


#: Two interpreters start while other tests may keep the machine busy.
STARTING_S = 120.0


def newest_only(versions: list[int]) -> list[int]:
    """What a consumer keeps that ignores what is not newer: complete only if nothing was overtaken for good."""
    kept: list[int] = []
    for version in versions:
        if not kept or version > kept[-1]:
            kept.append(version)
    return kept


async def leading(database: db.Database, processes: list[asyncio.subprocess.Process]) -> asyncio.subprocess.Process:
    """Which of the processes holds the lock: the one that names itself in its connection."""
    holders = (
        "select a.application_name from pg_locks l join pg_stat_activity a using (pid) where l.locktype = 'advisory'"
    )
    async with database.read() as tx:
        name = (await tx.execute(sa.text(holders))).scalar_one()
    (leader,) = [process for process in processes if name.endswith(f"-{process.pid}")]
    return leader


async def test_from_outbox_to_inbox_over_the_real_bus(database: db.Database, amqp_url: str) -> None:
    """The whole way: one transaction here becomes one handled event there."""
    service = things.name()
    await topology.declare(amqp_url, {service: [things.TYPE]})
    mine = things.name()
    heard: list[Envelope] = []

    async def dispatch(envelope: Envelope) -> None:
        heard.append(envelope)

    publisher = bus.Publisher(amqp_url)
    relay = outbox.Relay(database, things.OUTBOX, publisher, things.SCHEMA)
    async with things.beside(relay.run(), things.consumer(amqp_url, service, dispatch).run()):
        async with database.transaction() as tx:
            await say(tx, mine, 1, 2, 3)
        await things.until(lambda: things.versions(heard, mine) == [1, 2, 3])
    await publisher.close()
    async with broker.connection(amqp_url, "test") as connection:
        channel = await connection.channel()
        await channel.queue_delete(broker.inbox(service))
