"""What leaves a dead desk on a stick."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

from gradphoto_contracts import ids
from kit import boxes, messages
from kit import ids as new_ids
from kit.errors import Invalid
from station import exporting, importing, journal, settings, spool
from station.domain import facts, outgoing
from tests.unit.station.fakes import START


def test_whatever_a_desk_tells_has_its_turn_on_the_stick() -> None:
    """Every kind of message can be taken in elsewhere, each after what it refers to."""
    assert sorted(exporting.ORDER) == sorted(get_args(outgoing.Kind))
    assert exporting.ORDER.index("checkin") < exporting.ORDER.index("release") < exporting.ORDER.index("session")


@dataclass
class Desk:
    """A dead desk's directory: one frame sent on its way, one that nobody decided on, one that the server has."""

    directory: settings.Directory
    waiting: facts.FrameJournalled
    undecided: facts.FrameJournalled

    async def export(self, folder: Path) -> exporting.Exported:
        return await exporting.export(self.directory, folder)

    def execute(self, statement: str) -> None:
        """What a bad sector does."""
        with closing(sqlite3.connect(self.directory.journal)) as connection:
            connection.execute(statement)
            connection.commit()


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    directory = settings.Directory(tmp_path / "desk")
    directory.make()
    directory.save_enrolled(
        settings.Enrolled(
            station_id=ids.StationId(new_ids.new()),
            campaign_id=ids.CampaignId(new_ids.new()),
            desk_id=ids.DeskId(new_ids.new()),
            desk_code="A",
            group_code="A",
            campus_code="M",
            server="https://capture.example",
            camera="virtual",
            pack_key="",
            recovery_key=boxes.Opener().public,
        )
    )
    held = spool.FileSpool(directory.spool, directory.sealer(), 0)
    frames = [_frame(counter) for counter in (1, 2, 3)]
    for frame in frames:
        await held.put(frame, b"jpeg")
    book = journal.SqliteJournal(directory.journal, directory.sealer("journal"))
    await book.open()
    told = [outgoing.Message("capture", frame.capture_id, {}, f"lane {frame.frame_counter}") for frame in frames[:2]]
    told.append(outgoing.Message("drift", new_ids.new(), {}, "drifts"))
    decided = [facts.FrameDecided(frame.capture_id, "unbound", "", START) for frame in frames[:2]]
    await book.append([*frames, *decided], told)
    received = (await book.pending(1))[0]
    await book.received(received, {}, START, [facts.FrameReceived(frames[0].capture_id, START)])
    await book.close()
    return Desk(directory, *frames[1:])


def _frame(counter: int) -> facts.FrameJournalled:
    return facts.FrameJournalled(
        ids.CaptureId(new_ids.new()), "0" * 64, 4, None, None, None, "c", counter, counter, START
    )


async def test_a_whole_journal_is_exported(desk: Desk, tmp_path: Path) -> None:
    """What the server lacks, and nothing that it has."""
    done = await desk.export(tmp_path / "stick")
    assert (done.messages, done.frames, done.undecided) == (3, 2, (str(desk.undecided.capture_id),))
    assert (done.lost, done.history) == (0, True)


async def test_one_bad_row_of_the_history_costs_the_history_alone(desk: Desk, tmp_path: Path) -> None:
    """Messages and frames come onto the stick all the same; the agent names the journal, and what to do."""
    desk.execute("update facts set body = zeroblob(40) where seq = 1")
    done = await desk.export(tmp_path / "stick")
    assert (done.messages, done.frames, done.undecided) == (3, 2, (str(desk.undecided.capture_id),))
    assert (done.lost, done.history) == (1, False)
    book = journal.SqliteJournal(desk.directory.journal, desk.directory.sealer("journal"))
    await book.open()
    with pytest.raises(journal.Damaged) as told:
        await book.history()
    await book.close()
    assert "station export" in " ".join(messages.render(told.value.code, told.value.params))


async def test_one_bad_message_costs_that_message(desk: Desk, tmp_path: Path) -> None:
    """The others go, onto the stick and up the line; the bad one is told, and holds up nobody."""
    desk.execute("update outgoing set body = zeroblob(40) where kind = 'capture' and received_at is null")
    done = await desk.export(tmp_path / "stick")
    assert (done.messages, done.lost, done.history) == (2, 1, True)
    book = journal.SqliteJournal(desk.directory.journal, desk.directory.sealer("journal"))
    await book.open()
    await book.append([], [outgoing.Message("session", new_ids.new(), {}, "sessions", after_all=True)])
    assert [one.message.kind for one in await book.ready(9, [], [], [])] == ["drift"]
    await book.received((await book.ready(9, [], [], []))[0], {}, START, [])
    assert ([one.message.kind for one in await book.ready(9, [], [], [])], book.unreadable) == (["session"], 1)
    await book.close()


async def test_frames_of_a_journal_that_is_none_are_exported(desk: Desk, tmp_path: Path) -> None:
    """The spool says of each frame what it is; the server knows those that it has."""
    desk.directory.journal.write_bytes(b"no database at all" * 500)
    done = await desk.export(tmp_path / "stick")
    assert (done.messages, done.frames, done.history) == (3, 3, False)


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        ("[]", "import-not-a-stick"),
        ("7", "import-not-a-stick"),
        ("{}", "import-not-a-stick"),
        ('{"format": 9}', "import-format-unknown"),
        ('{"format": 1, "station_id": "x", "desk_code": "A", "keys": "", "files": []}', "import-not-a-stick"),
        ('{"format": 1, "station_id": 1, "files": [[]]}', "import-not-a-stick"),
    ],
)
def test_a_folder_that_is_no_stick_is_told(manifest: str, code: str, tmp_path: Path) -> None:
    """Whatever lies in its manifest: words, no traceback, and no server is asked."""
    (tmp_path / "manifest.json").write_text(manifest)
    (tmp_path / "manifest.sig").write_text("")
    with pytest.raises(Invalid, match=code):
        importing.take_in(tmp_path, None)  # type: ignore[arg-type]
