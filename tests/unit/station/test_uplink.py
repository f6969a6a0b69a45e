"""The uplink over a real journal and a server that misbehaves."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gradphoto_contracts import ids
from kit import auth, crypto, documents
from kit import ids as new_ids
from kit.errors import Refused, Unavailable
from station import receipts
from station.domain import facts
from station.domain.outgoing import Kind, Message
from station.journal import SqliteJournal
from station.server import Place, RefusedByServer, Unreachable
from station.spool import FileSpool
from station.uplink import Uplink
from tests.unit.station import patience
from tests.unit.station.fakes import START, Spool


class Server:
    """Takes everything, unless told otherwise for a path."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.faults: dict[str, list[Exception]] = {}
        self.gone = False
        self.tries = 0
        self.stored: dict[str, bytes] = {}
        self.busy = 0
        self.busiest = 0
        self.key, self.public = crypto.new_key()
        self.station_id = ids.StationId(new_ids.new())
        self.answers: dict[str, dict[str, Any]] = {}

    def signed(self, capture: Message) -> dict[str, Any]:
        """The receipt of a frame."""
        content = documents.receipt(self.station_id, capture.key, capture.body["sha256"])
        return {"state": "received", "signature": auth.Stamp(self.key, documents.RECEIPT).sign(content)}

    def sealed(self, session: Message, stored: int) -> dict[str, Any]:
        """The answer for a session that balances."""
        who = {"session_id": str(session.key), "station_id": str(self.station_id)}
        document = {**who, "state": "sealed", "stored_frames": stored, "differences": 0}
        signature = auth.Stamp(self.key, documents.COUNTERSIGN).sign(documents.canonical(document))
        return {
            "state": "sealed",
            "stored_frames": stored,
            "balanced": True,
            "difference_count": 0,
            "differences": [],
            "countersigned": document,
            "countersignature": signature,
        }

    async def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.tries += 1
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        await asyncio.sleep(0.005)
        self.busy -= 1
        if self.gone:
            raise Unreachable
        if self.faults.get(path):
            raise self.faults[path].pop(0)
        self.log.append(path)
        _, _, kind, key = path.split("/")
        if kind == "captures" and path not in self.answers:
            return self.signed(Message("capture", UUID(key), body, ""))
        return self.answers.get(path, {"state": "received"})

    async def ask_upload(self, capture_id: ids.CaptureId, sha256: str, size_bytes: int) -> Place:
        if self.gone:
            raise Unreachable
        return Place(exists=sha256 in self.stored, url=sha256)

    async def upload(self, url: str, jpeg: bytes) -> None:
        self.stored[url] = jpeg


class Line:
    """An uplink at work, and what it has received."""

    def __init__(self, journal: SqliteJournal) -> None:
        self.server, self.journal, self.spool = Server(), journal, Spool()
        self.receipts: list[facts.Fact] = []
        self.failures: list[str] = []
        self.genuine = receipts.Receipts(self.server.public, self.server.station_id)
        self.uplink = Uplink(
            *(self.server, journal, self.spool, lambda: START, self._received, self.genuine, self.failures.append)
        )

    async def _received(self, fact: facts.Fact) -> None:
        self.receipts.append(fact)

    async def say(self, *messages: Message) -> None:
        await self.journal.append([], messages)
        self.uplink.wake()

    async def drained(self, timeout_s: float = 5) -> None:
        async with asyncio.timeout(timeout_s):
            while await self.journal.backlog():  # noqa: ASYNC110 - the journal can only be asked
                await asyncio.sleep(0.01)


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    journal = SqliteJournal(tmp_path / "journal.sqlite3", crypto.Sealer({"k": bytes(32)}, "k"))
    await journal.open()
    line = Line(journal)
    running = asyncio.create_task(line.uplink.run())
    yield line
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await journal.close()


def _message(kind: Kind, lane: str, **more: Any) -> Message:
    return Message(kind, new_ids.new(), {"n": 1}, lane, **more)


def _capture(line: Line, lane: str, **more: Any) -> Message:
    key = new_ids.new()
    frame = facts.FrameJournalled(
        ids.CaptureId(key), key.hex, 1, None, None, None, "c", 1, 1, datetime.now(START.tzinfo)
    )
    line.spool.frames[ids.CaptureId(key)] = (frame, key.bytes)
    return Message("capture", key, {"sha256": key.hex, "size_bytes": 16}, lane, **more)


def _path(message: Message) -> str:
    return f"/v1/{message.kind}s/{message.key}"


async def test_everything_arrives_check_in_before_its_capture(line: Line) -> None:
    """Lanes keep their order, captures follow their check-ins, and no more than four go at once."""
    messages: list[Message] = []
    for place in range(12):
        checkin = _message("checkin", "checkins")
        messages += [checkin, _capture(line, f"ticket {place}", after=("checkin", checkin.key))]
    await line.say(*messages)
    await line.drained()
    checkins = [_path(message) for message in messages if message.kind == "checkin"]
    assert [path for path in line.server.log if "checkin" in path] == checkins
    for before, after in zip(messages[::2], messages[1::2], strict=True):
        assert line.server.log.index(_path(before)) < line.server.log.index(_path(after))
    assert 1 < line.server.busiest <= 4
    assert len(line.receipts) == 12


async def test_a_busy_server_is_tried_again(line: Line) -> None:
    """A message that fails goes again, and holds back only its own lane."""
    first, second, third = (
        _message("checkin", "checkins"),
        _message("checkin", "checkins"),
        _message("drift", "drifts"),
    )
    line.server.faults[_path(first)] = [Unavailable("server-busy", http_status=503)]
    await line.say(first, second, third)
    await line.drained()
    assert line.server.log == [_path(third), _path(first), _path(second)]


async def test_a_refused_message_is_set_aside_and_shown(line: Line) -> None:
    """What the server refuses holds up nobody else, is counted by its code and stays in the journal."""
    first, second = _message("checkin", "checkins"), _message("checkin", "checkins")
    line.server.faults[_path(first)] = [RefusedByServer("ticket-taken", ticket="A-0001")]
    await line.say(first, second)
    while await line.journal.backlog() > 1:  # noqa: ASYNC110 - the journal can only be asked
        await asyncio.sleep(0.01)
    assert line.uplink.refused == {"ticket-taken": 1}
    assert line.server.log == [_path(second)]


async def test_an_original_that_the_store_lost_is_uploaded_again(line: Line) -> None:
    """Told that the original is missing, the station sends it once more instead of giving up."""
    capture = _capture(line, "ticket A-0001")
    line.server.faults[_path(capture)] = [RefusedByServer("original-missing")]
    await line.say(capture)
    await line.drained()
    assert line.server.log == [_path(capture)]
    assert line.uplink.refused == {}


async def test_a_lost_network_is_felt_out_by_one_message(line: Line) -> None:
    """Offline the uplink tries seldom and alone; back online everything goes at once."""
    line.server.gone = True
    await line.say(*(_message("drift", f"lane {place}") for place in range(30)))
    await asyncio.sleep(0.4)
    assert not line.uplink.online
    assert line.server.tries <= 4 + 2
    line.server.gone = False
    line.uplink.try_now()
    await line.drained()
    assert len(line.server.log) == 30


async def test_what_keeps_a_message_waiting_is_shown(line: Line) -> None:
    """A server that fails repeatedly is told with its code, every attempt is counted, and in the end all is well."""
    capture = _capture(line, "ticket A-0001")
    line.server.faults[_path(capture)] = [Unavailable("server-busy", http_status=503) for _ in range(3)]
    await line.say(capture)
    while not line.uplink.kept_waiting:  # noqa: ASYNC110 - the uplink can only be asked
        await asyncio.sleep(0.01)
    told = line.uplink.kept_waiting["server-busy"]
    assert told.params == {"http_status": 503}
    await line.drained(30)
    assert line.uplink.kept_waiting == {}
    assert line.failures == ["server-busy"] * 3


_STRANGER = auth.Stamp(crypto.new_key()[0], documents.RECEIPT)
FORGED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "no signature": {"state": "received"},
    "another's signature": {"state": "received", "signature": _STRANGER.sign(b"")},
}


@pytest.mark.parametrize("forged", FORGED)
async def test_a_frame_is_let_go_for_a_signed_receipt_alone(line: Line, forged: str) -> None:
    """Without the server's signature over this very frame it stays, is told, and goes when the receipt is genuine."""
    capture, other = _capture(line, "ticket A-0001"), _capture(line, "ticket A-0002")
    line.server.answers[_path(capture)] = FORGED[forged]
    await line.say(capture)
    await patience.until(lambda: line.uplink.refused)
    assert line.uplink.refused == {"server-receipt-not-genuine": 1}
    line.server.answers[_path(capture)] = line.server.signed(other)
    line.uplink.try_now()
    await patience.until(lambda: line.server.log.count(_path(capture)) > 1)
    assert (line.receipts, await line.journal.backlog()) == ([], 1), "a receipt for another frame was taken"
    del line.server.answers[_path(capture)]
    line.uplink.try_now()
    await line.drained()
    assert len(line.receipts) == 1


async def test_a_session_is_sealed_by_a_signature_alone(line: Line) -> None:
    """An answer that says sealed, with another count or under no signature of the server's, is no seal."""
    session = _message("session", "sessions")
    session.body["journalled"] = [{}, {}]
    genuine = line.server.sealed(session, 2)
    wrong = [
        {"state": "sealed", "balanced": True},
        {**genuine, "countersignature": None},
        {**genuine, "stored_frames": 1},
        {**genuine, "difference_count": 1},
        {**genuine, "countersigned": {**genuine["countersigned"], "stored_frames": 3}},
        line.server.sealed(session, 1),
        line.server.sealed(_message("session", "sessions"), 2),
        {**genuine, "state": "settled"},
    ]
    for answer in wrong:
        with pytest.raises(Refused, match="server-receipt-not-genuine"):
            line.genuine.demand(session, answer)
    line.genuine.demand(session, genuine)
    line.genuine.demand(session, {**genuine, "state": "refused", "balanced": False, "countersignature": None})


async def test_a_seal_does_not_wait_for_what_is_refused(line: Line) -> None:
    """A refused check-in, the photo behind it, a refused photo and one that the spool lost: the session goes, last."""
    checkin, good = _message("checkin", "checkins"), _capture(line, "ticket A-0004")
    behind = _capture(line, "ticket A-0001", after=("checkin", checkin.key))
    refused, lost = _capture(line, "ticket A-0002"), _capture(line, "ticket A-0003")
    session = _message("session", "sessions", after_all=True)
    session.body["journalled"] = []
    line.server.answers[_path(session)] = line.server.sealed(session, 0)
    line.server.faults[_path(checkin)] = [RefusedByServer("ticket-taken", ticket="A-0001")]
    line.server.faults[_path(refused)] = [RefusedByServer("capture-differs")]
    await line.spool.wipe(ids.CaptureId(lost.key))
    await line.say(checkin, behind, refused, lost, good, session)
    while await line.journal.answer("session", session.key) is None:  # noqa: ASYNC110 - the journal can only be asked
        await asyncio.sleep(0.01)
    assert line.server.log == [_path(good), _path(session)]
    assert line.uplink.refused == {"ticket-taken": 1, "capture-differs": 1, "spool-frame-missing": 1}


async def test_many_refused_messages_starve_nobody(line: Line) -> None:
    """However many at the head are refused, or wait for such a one, what comes later goes."""
    heads = [_message("drift", f"lane {place}") for place in range(450)]
    for head in heads:
        line.server.faults[_path(head)] = [RefusedByServer("drift-differs")]
    later = _message("checkin", "checkins")
    await line.say(*heads, later)
    while await line.journal.backlog() > len(heads):  # noqa: ASYNC110 - the journal can only be asked
        await asyncio.sleep(0.01)
    assert line.server.log == [_path(later)]


async def test_a_frame_that_cannot_be_read_ends_no_uplink(line: Line, tmp_path: Path) -> None:
    """A file of the spool gives an error: its message is set aside and shown, and the others go."""
    capture, other = _capture(line, "ticket A-0001"), _message("checkin", "checkins")
    line.uplink._spool = FileSpool(tmp_path / "spool", crypto.Sealer({"k": bytes(32)}, "k"), 0)
    (tmp_path / "spool" / f"{capture.key}.frame").mkdir()
    await line.say(capture)
    await patience.until(lambda: line.uplink.refused)
    await line.say(other)
    await patience.until(lambda: line.server.log)
    assert line.server.log == [_path(other)]
    assert line.uplink.refused == {"sealed-data-unreadable": 1}
