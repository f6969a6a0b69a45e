"""A session's seal at the desk: what the cameras counted, the journal's chain, and a refused session sealed anew."""

import sqlite3
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gradphoto_contracts import ids
from kit import crypto, documents
from kit import ids as new_ids
from station import devices
from station.domain import facts, outgoing, sealing
from station.handlers import calibration, sessions
from station.journal import SqliteJournal
from station.ports import hardware
from station.printers import escpos
from tests.unit.station.fakes import START, Bench


class Answering:
    """Gives the server's answer to a seal that it is told to give."""

    def __init__(self, state: str) -> None:
        self.state = state

    async def __call__(self, kind: outgoing.Kind, key: UUID) -> dict[str, Any]:
        return {"state": self.state, "stored_frames": 1, "missing": [], "balanced": self.state == "sealed"}


async def opened(monkeypatch: pytest.MonkeyPatch, state: str = "sealed") -> Bench:
    bench = Bench()
    monkeypatch.setattr(bench.journal, "answer", Answering(state))
    bench.work.sign_seal = lambda session_id, document: f"signed {documents.digest(document)}"
    await sessions.open_session(bench.work)
    return bench


def seals(bench: Bench) -> list[outgoing.Message]:
    return [message for message in bench.journal.messages if message.kind == "session"]


async def test_what_is_told_is_what_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The camera's own range and each frame with its number; the signature is over exactly what is sent."""
    bench = await opened(monkeypatch)
    frame, _ = await calibration.take_test_shot(bench.work)
    answer = await sessions.seal(bench.work, 1)
    (message,) = seals(bench)
    body = dict(message.body)
    assert body.pop("signature") == answer["signature"] == f"signed {documents.digest(body)}"
    assert body["cameras"] == [{"serial": "cam-1", "before": 0, "after": 1}]
    assert body["journalled"] == [
        {"capture_id": str(frame.capture_id), "sha256": frame.sha256, "camera_serial": "cam-1", "frame_counter": 1}
    ]
    assert (answer["state"], answer["camera_frames"], answer["journalled_frames"]) == ("sealed", 1, 1)
    assert "已封存，三方一致 SEALED" in answer["paper"]


async def test_a_refused_session_is_told_anew_with_the_frame_that_came_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the camera had counted, and the journal not yet, is in the next telling of the same session."""
    bench = await opened(monkeypatch, "refused")
    await calibration.take_test_shot(bench.work)
    bench.camera.skip(1)
    first = await sessions.seal(bench.work, 1)
    assert "未封存：不符，勿清卡 REFUSED" in first["paper"]
    late = frame_of(bench, counter=2)
    bench.desk.apply(late)
    bench.desk.undecided.clear()
    await sessions.seal(bench.work, 1)
    told = [message for message in seals(bench) if str(message.key) == first["session_id"]]
    assert [len(message.body["journalled"]) for message in told] == [1, 2]
    assert told[0].body["cameras"] == told[1].body["cameras"] == [{"serial": "cam-1", "before": 0, "after": 2}]


async def test_a_sealed_session_is_not_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: once the server has sealed it, asking again sends nothing."""
    bench = await opened(monkeypatch)
    await calibration.take_test_shot(bench.work)
    first, second = [await sessions.seal(bench.work, 1) for _ in range(2)]
    assert first["session_id"] == second["session_id"]
    assert len(seals(bench)) == 1


def frame_of(bench: Bench, counter: int, serial: str = "cam-1") -> facts.FrameJournalled:
    capture_id = ids.CaptureId(new_ids.new())
    return facts.FrameJournalled(capture_id, "0" * 64, 1, None, None, None, serial, counter, 0, START)


class Paper(devices.AlwaysReady):
    """Remembers what it was given to print."""

    waiting = 0

    def __init__(self) -> None:
        self.slips: list[hardware.Slip] = []

    async def print(self, slip: hardware.Slip) -> None:
        self.slips.append(slip)


async def test_the_seal_is_printed_where_there_is_a_printer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the console says of the seal comes out on paper too, all Chinese signs in the printer's own code."""
    bench = await opened(monkeypatch)
    printer = Paper()
    bench.work.printer = printer
    answer = await sessions.seal(bench.work, 1)
    (slip,) = printer.slips
    assert list(slip.lines) == answer["paper"]
    printed = escpos.slip(slip, 1)
    assert "场次封存单".encode("gb18030") in printed
    assert "拍摄号".encode("gb18030") not in printed


async def test_a_camera_that_was_changed_counts_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second body's count has nothing to do with the first one's."""
    bench = await opened(monkeypatch)
    await calibration.take_test_shot(bench.work)
    for counter in (501, 502):
        bench.desk.apply(frame_of(bench, counter, "cam-2"))
    assert bench.desk.session is not None
    counted = sealing.count_cameras(bench.desk, bench.desk.session, "cam-2", 503)
    assert counted == (facts.CameraCount("cam-1", 0, 1), facts.CameraCount("cam-2", 500, 503))


async def test_the_paper_names_what_differs() -> None:
    """The differences stand on the paper, the first dozen of them, and how many there are."""
    lost = {"kind": "not_counted", "capture_id": None, "camera_serial": "V1"}
    answer = {
        "session_id": "s",
        "camera_frames": 20,
        "journalled_frames": 0,
        "stored_frames": 0,
        "state": "refused",
        "differences": [{**lost, "frame_counter": number} for number in range(1, 21)],
        "difference_count": 20,
    }
    lines = sealing.paper("A1", answer)
    assert next(line for line in lines if "相机多拍" in line).endswith("#1")
    assert sum("相机多拍" in line for line in lines) == 12
    assert "… 20 处 in all" in lines


async def journal_of(path: Path) -> SqliteJournal:
    book = SqliteJournal(path, crypto.Sealer({"k": bytes(32)}, "k"))
    await book.open()
    return book


@pytest.mark.parametrize(
    ("change", "intact"),
    [
        ("select 1", True),
        ("update facts set body = x'00' where seq = 2", False),
        ("delete from facts where seq = 2", False),
        ("delete from facts where seq = 3", False),
        ("update facts set kind = 'seated' where seq = 1", False),
    ],
)
async def test_the_journals_chain_tells_of_each_change(tmp_path: Path, change: str, intact: bool) -> None:
    """A fact that was altered or taken away, at the end too, breaks the chain; untouched, it holds over a restart."""
    book = await journal_of(tmp_path / "journal")
    for number in range(3):
        await book.append([facts.TicketReleased(f"A-000{number}", "walked_off", START)], [])
    before = await book.head()
    await book.close()
    with sqlite3.connect(tmp_path / "journal") as damaged:
        damaged.execute(change)
    damaged.close()
    book = await journal_of(tmp_path / "journal")
    count, head, holds = await book.head()
    await book.close()
    assert holds is intact
    assert before[2]
    assert ((count, head) == before[:2]) is intact


def test_a_signed_document_has_one_spelling() -> None:
    """Order and white space do not matter; a fraction is refused, since languages spell it differently."""
    assert documents.canonical({"b": 1, "a": "台"}) == '{"a":"台","b":1}'.encode()
    with pytest.raises(ValueError, match="float"):
        documents.canonical({"a": [{"b": 0.5}]})
