"""The journal file: all or nothing, in order, one message a key, one process at a time."""

import resource
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gradphoto_contracts import ids
from kit import crypto
from kit import ids as new_ids
from kit.errors import Conflict, Unavailable
from station.domain import facts
from station.domain.outgoing import Kind, Message
from station.journal import SqliteJournal
from tests.unit.station.fakes import START

SEALER = crypto.Sealer({"journal-1": bytes(32)}, "journal-1")


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    journal = SqliteJournal(tmp_path / "journal.sqlite3", SEALER)
    await journal.open()
    yield journal
    await journal.close()


def _issued(ordinal: int) -> facts.TicketIssued:
    student, checkin = ids.StudentId(new_ids.new()), ids.CheckinId(new_ids.new())
    return facts.TicketIssued(f"A-{ordinal:04d}", ordinal, checkin, student, None, START)


def _message(kind: Kind = "checkin", **more: object) -> Message:
    values = {"key": new_ids.new(), "body": {"a": 1}, "lane": kind, **more}
    return Message(kind, **values)  # type: ignore[arg-type]


async def test_history_comes_back_as_it_was(tmp_path: Path) -> None:
    """Facts survive closing and opening, value for value, in order."""
    first = SqliteJournal(tmp_path / "j", SEALER)
    await first.open()
    drift = facts.DriftSuspected(ids.DriftId(new_ids.new()), "ticket_skipped", "A-0001", "A-0002", START)
    written: list[facts.Fact] = [_issued(1), facts.Seated("A-0001", START), drift]
    await first.append(written, [])
    await first.close()
    second = SqliteJournal(tmp_path / "j", SEALER)
    await second.open()
    assert await second.history() == written
    await second.close()


async def test_an_append_is_all_or_nothing(journal: SqliteJournal) -> None:
    """When a message can't be written, its facts are not there either."""
    with pytest.raises(TypeError):
        await journal.append([_issued(1)], [_message(body={"bad": object()})])
    assert await journal.history() == []
    await journal.append([_issued(1)], [])
    assert len(await journal.history()) == 1


async def test_a_capture_waits_for_its_check_in(journal: SqliteJournal) -> None:
    """What names another message is blocked until that one is received."""
    checkin = _message()
    capture = _message("capture", after=("checkin", checkin.key))
    await journal.append([], [checkin, capture])
    first, second = await journal.pending(10)
    assert (first.blocked, second.blocked) == (False, True)
    assert await journal.received(first, {"state": "recorded"}, START, [])
    (second,) = await journal.pending(10)
    assert not second.blocked
    assert await journal.answer("checkin", checkin.key) == {"state": "recorded"}


async def test_a_seal_waits_for_everything_before_it(journal: SqliteJournal) -> None:
    """The session goes last; what comes after it does not hold it up."""
    await journal.append([], [_message(), _message("session", after_all=True), _message()])
    assert [pending.blocked for pending in await journal.pending(10)] == [False, True, False]
    await journal.received((await journal.pending(10))[0], {}, START, [])
    assert [pending.blocked for pending in await journal.pending(10)] == [False, False]


async def test_a_newer_word_on_the_same_thing_replaces_the_older(journal: SqliteJournal) -> None:
    """A receipt for the older word does not silence the newer one."""
    drift = _message("drift")
    await journal.append([], [drift])
    (older,) = await journal.pending(10)
    await journal.append([], [_message("drift", key=drift.key, body={"a": 2})])
    assert not await journal.received(older, {}, START, [])
    (newer,) = await journal.pending(10)
    assert newer.message.body == {"a": 2}
    assert await journal.received(newer, {}, START, [])
    assert await journal.backlog() == 0


async def test_one_process_at_a_time(journal: SqliteJournal, tmp_path: Path) -> None:
    """A second opener is told that the directory is in use."""
    second = SqliteJournal(tmp_path / "journal.sqlite3", SEALER)
    with pytest.raises(Conflict, match="station-already-running"):
        await second.open()


@pytest.mark.parametrize("limit", ["pages", "file"])
async def test_a_journal_on_a_full_disk_goes_on_when_there_is_room(journal: SqliteJournal, limit: str) -> None:
    """A write that does not fit is a clear problem and leaves nothing behind; the next one after it is taken."""
    await journal.append([_issued(1)], [])
    long = _message(body={"a": "x" * 2_000_000})
    with _full(journal, limit), pytest.raises(Unavailable, match="station-disk-full"):
        await journal.append([_issued(2)], [long])
    await journal.append([_issued(3)], [])
    history = [fact.ticket for fact in await journal.history() if isinstance(fact, facts.TicketIssued)]
    assert history == ["A-0001", "A-0003"]
    assert await journal.backlog() == 0


async def test_a_journal_is_opened_without_a_free_byte(tmp_path: Path) -> None:
    """What is there already needs no room to be read: a desk starts on the disk that it has filled."""
    first = SqliteJournal(tmp_path / "j", SEALER)
    await first.open()
    await first.append([_issued(1)], [_message()])
    await first.close()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        again = SqliteJournal(tmp_path / "j", SEALER)
        await again.open()
        assert (len(await again.history()), await again.backlog()) == (1, 1)
        with pytest.raises(Unavailable, match="station-disk-full"):
            await again.append([_issued(2)], [])
        await again.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def _full(journal: SqliteJournal, limit: str) -> Iterator[None]:
    """No more pages (SQLITE_FULL), or no longer file (SQLITE_IOERR_WRITE), for the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit == "pages":
        journal._connection.execute("pragma max_page_count = 20")
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        if limit == "pages":
            journal._connection.execute("pragma max_page_count = 1000000")


def _files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.iterdir()]


async def test_what_the_journal_says_is_sealed(tmp_path: Path) -> None:
    """Neither facts nor messages nor answers stand in the file in the clear; a row that was altered does not open."""
    book = SqliteJournal(tmp_path / "j", SEALER)
    await book.open()
    said = "欧蘅蓁蕤 650102200001010017"
    released = facts.TicketReleased("A-0001", said, START)
    await book.append([_issued(1), released], [_message(body={"override": said})])
    (pending,) = await book.pending(10)
    assert pending.message.body == {"override": said}
    await book.received(pending, {"told": said}, START, [])
    written = b"".join(_files(tmp_path))
    assert [word for word in (said.encode(), b"650102", b"student_id", b"\\u6b27") if word in written] == []
    await book.close()
    with sqlite3.connect(tmp_path / "j") as connection:
        connection.execute("update facts set kind = 'seated' where seq = 2")
    connection.close()
    again = SqliteJournal(tmp_path / "j", SEALER)
    await again.open()
    with pytest.raises(Conflict, match="station-journal-damaged"):
        await again.history()
    await again.close()


async def test_a_damaged_message_that_is_told_anew_is_sent(journal: SqliteJournal) -> None:
    """What does not open holds up nobody, and goes once it was written again under its key."""
    message = _message()
    await journal.append([], [message])
    await journal._do(lambda: journal._connection.execute("update outgoing set body = x'00'"))
    assert (await journal.ready(4, [], [], []), journal.unreadable) == ([], 1)
    await journal.append([], [message])
    (pending,) = await journal.ready(4, [], [], [])
    assert (pending.message, journal.unreadable) == (message, 0)
