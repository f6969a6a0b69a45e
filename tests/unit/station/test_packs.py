"""The desk pack on a station: whose it takes, how it changes, how old it may be, and what lies on the disk."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gradphoto_contracts import ids
from kit import auth, crypto
from kit import ids as new_ids
from kit.errors import Refused, Unavailable
from station import settings
from station.domain.pack import SIGNED_AS, Pack, Signed
from station.handlers import queue
from station.packs import Ours, SealedPacks
from tests.unit.station import fakes

SEALER = crypto.Sealer({"pack-1": bytes(32)}, "pack-1")
CAMPAIGN, DESK = ids.CampaignId(new_ids.new()), ids.DeskId(new_ids.new())


@dataclass
class Server:
    """Gives out what it is told to, signed with its own key unless told otherwise. `asked` holds the ETags."""

    clock: fakes.Clock = field(default_factory=fakes.Clock)
    students: list[ids.StudentId] = field(default_factory=lambda: [ids.StudentId(new_ids.new()) for _ in range(3)])
    keys: tuple[str, str] = field(default_factory=crypto.new_key)
    told: bytes | None = b""
    signature: str | None = None
    asked: list[str | None] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def desk_pack(self, etag: str | None) -> Signed | None:
        self.asked.append(etag)
        content = self.whole() if etag is None and self.told is not None and b"changes" in self.told else self.told
        if content is None:
            return None
        return Signed(content, self.signature or self.stamp(content))

    def stamp(self, content: bytes, kind: str = SIGNED_AS) -> str:
        return auth.Stamp(self.keys[0], kind).sign(content)

    def packs(self, folder: Path) -> SealedPacks:
        ours = Ours(self.keys[1], CAMPAIGN, DESK)
        return SealedPacks(folder / "pack", SEALER, self, self.clock, ours, self.refused.append)

    def whole(self, **other: Any) -> bytes:
        pack = fakes.Packs(self.students).current()
        now = self.clock.now()
        ours = {"desk": {"desk_id": DESK, "code": "A"}, "campaign_id": CAMPAIGN, "etag": '"1"', "version": 1}
        times = {"issued_at": now, "expires_at": now + timedelta(hours=72)}
        return Pack.model_validate({**pack.model_dump(), **ours, **times, **other}).model_dump_json().encode()

    def changes(self, **other: Any) -> bytes:
        told = json.loads(self.whole(etag='"2"', version=2))
        told |= {"kind": "changes", "base": '"1"', "classes": None, "entries": [], "gone": [], **other}
        return json.dumps(told).encode()


@pytest.fixture
def server() -> Server:
    server = Server()
    server.told = server.whole()
    return server


async def test_a_pack_is_sealed_and_used_without_network(server: Server, tmp_path: Path) -> None:
    """After a restart the pack is there, still finds codes, and asks only for what has changed."""
    first = server.packs(tmp_path)
    with pytest.raises(Unavailable, match="desk-pack-missing"):
        first.current()
    await first.refresh()
    on_disk = (tmp_path / "pack").read_bytes()
    assert all(word not in on_disk for word in (str(server.students[0]).encode(), b"2024-1", b"digest"))
    second = server.packs(tmp_path)
    second.load()
    found = second.find("scan-0")
    assert found is not None
    assert found.student_id == server.students[0]
    server.clock.advance(60)
    server.told = None
    await second.refresh()
    assert server.asked == [None, '"1"']
    assert second.as_of == server.clock.now()


@pytest.mark.parametrize("how", ["altered", "unsigned", "another key", "another kind", "another algorithm"])
async def test_a_pack_that_the_server_did_not_sign_is_refused(server: Server, tmp_path: Path, how: str) -> None:
    """The one before stays in force, the refusal has a code and is counted; a genuine one ends the trouble."""
    packs = server.packs(tmp_path)
    await packs.refresh()
    genuine = server.whole(etag='"2"', version=2)
    server.told, server.signature = genuine, server.stamp(genuine)
    if how == "altered":
        server.told = genuine.replace(b'"photographed":false', b'"photographed":true ', 1)
    elif how == "unsigned":
        server.signature = "none"
    elif how == "another key":
        server.signature = auth.Stamp(crypto.new_key()[0], SIGNED_AS).sign(genuine)
    elif how == "another kind":
        server.signature = server.stamp(genuine, "gradphoto-seal")
    else:
        server.signature = "eyJhbGciOiJub25lIn0.." + server.signature.rpartition(".")[2]
    with pytest.raises(Refused, match="desk-pack-not-genuine"):
        await packs.refresh()
    refusal = packs.trouble
    assert refusal is not None
    assert refusal.code == "desk-pack-not-genuine"
    assert server.refused == ["desk-pack-not-genuine"]
    assert packs.current().version == 1
    server.told, server.signature = genuine, None
    await packs.refresh()
    assert packs.current().version == 2
    assert packs.trouble is None


@pytest.mark.parametrize(
    ("code", "other"),
    [
        ("desk-pack-foreign", {"campaign_id": new_ids.new()}),
        ("desk-pack-foreign", {"desk": {"desk_id": new_ids.new(), "code": "A"}}),
        ("desk-pack-older", {"version": 0}),
    ],
)
async def test_a_signed_pack_may_still_not_be_ours(
    server: Server, tmp_path: Path, code: str, other: dict[str, Any]
) -> None:
    """Of another campaign or desk, or played back from before: refused."""
    packs = server.packs(tmp_path)
    await packs.refresh()
    server.told = server.whole(etag='"2"', **other)
    with pytest.raises(Refused, match=code):
        await packs.refresh()
    assert packs.current().etag == '"1"'


async def test_versions_may_begin_again_after_a_backup_was_put_back(server: Server, tmp_path: Path) -> None:
    """A lower version that was signed later is the server's word of now."""
    packs = server.packs(tmp_path)
    server.told = server.whole(version=90)
    await packs.refresh()
    server.clock.advance(60)
    server.told = server.whole(version=7)
    await packs.refresh()
    assert packs.current().version == 7


async def test_names_in_a_pack_of_code_mode_are_refused(server: Server, tmp_path: Path) -> None:
    """Whatever a server sends: no name gets onto a desk's disk in capture-code mode."""
    packs = server.packs(tmp_path)
    told = json.loads(server.whole())
    told["entries"][0]["name_masked"] = "王*明"
    server.told = json.dumps(told).encode()
    with pytest.raises(Refused, match="desk-pack-names"):
        await packs.refresh()
    assert not (tmp_path / "pack").exists()
    server.told = b"{}"
    with pytest.raises(Refused, match="desk-pack-unreadable"):
        await packs.refresh()


async def test_changes_are_applied_to_the_pack_that_they_are_of(server: Server, tmp_path: Path) -> None:
    """One is photographed, one has left, one is new; the same changes again, or those of another pack: the whole."""
    packs = server.packs(tmp_path)
    await packs.refresh()
    gone, taken, untouched = server.students
    new = {
        "student_id": str(new_ids.new()),
        "class_id": None,
        "digest": crypto.digest_with(fakes.CODE_KEY, "capture_code", "scan-new"),
        "ordinal": 9,
        "eligible": True,
        "photographed": False,
    }
    entries = [{**json.loads(server.told or b"")["entries"][1], "photographed": True}, new]
    server.told = server.changes(entries=entries, gone=[str(gone)])
    await packs.refresh()
    assert packs.current().version == 2
    assert packs.entry(gone) is None
    assert packs.find("scan-0") is None
    assert packs.find("scan-new") is not None
    found, same = packs.entry(taken), packs.entry(untouched)
    assert found is not None
    assert same is not None
    assert (found.photographed, same.photographed, packs.current().classes[0].label) == (True, False, "2024-1")
    again = server.packs(tmp_path)
    again.load()
    assert again.current() == packs.current()
    server.asked.clear()
    server.students = server.students[:1]
    server.clock.advance(1)
    await packs.refresh()
    assert server.asked == ['"2"', None], "changes of another base are of no use: all of it is asked for"
    assert packs.size == 1


async def test_an_old_pack_is_used_and_a_forgotten_one_is_not(server: Server, tmp_path: Path) -> None:
    """Old after the policy's minutes, expired after its hours: both are said, both go on; twice the hours: not used."""
    bench = fakes.Bench()
    packs = server.packs(tmp_path)
    await packs.refresh()
    bench.work.packs = packs
    told = []
    for minutes in (0, 119, 2, 69 * 60, 120):
        server.clock.advance(minutes * 60)
        now = server.clock.now()
        assert packs.find("scan-0") is not None
        told.append((queue.pack_is_old(bench.work, now), packs.current().is_expired(now)))
    assert told == [(False, False), (False, False), (True, False), (True, False), (True, True)]
    late = server.packs(tmp_path)
    late.load()
    assert late.size == 3, "an expired pack still serves after a restart"
    server.clock.advance(72 * 3600)
    forgotten = server.packs(tmp_path)
    forgotten.load()
    assert forgotten.size == 0


async def test_a_clock_ahead_costs_no_pack(server: Server, tmp_path: Path) -> None:
    """Started under a clock that runs weeks ahead, and again when it is right, without network: the pack is there."""
    await server.packs(tmp_path).refresh()
    server.clock.advance(29 * 86400)
    ahead = server.packs(tmp_path)
    ahead.load()
    assert ahead.size == 0
    server.clock.advance(-29 * 86400)
    right = server.packs(tmp_path)
    right.load()
    assert right.size == 3
    assert _files(tmp_path) == [tmp_path / "pack"]


async def test_a_forgotten_pack_goes_in_the_end(server: Server, tmp_path: Path) -> None:
    """When the clock has called it forgotten for a month; or at once, by the word of the server that revoked us."""
    await server.packs(tmp_path).refresh()
    for days, left in ((7, True), (29, True), (2, False)):
        server.clock.advance(days * 86400)
        server.packs(tmp_path).load()
        assert (tmp_path / "pack").exists() is left
    packs = server.packs(tmp_path)
    await packs.refresh()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "desk_pack", _revoked)
        with pytest.raises(Refused, match="station-revoked"):
            await packs.refresh()
    assert (packs.size, _files(tmp_path)) == (0, [])


async def test_a_forgotten_pack_on_a_full_disk_stops_no_start(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it is forgotten cannot be noted: the pack is not used, and stays for the next start."""
    await server.packs(tmp_path).refresh()
    server.clock.advance(7 * 86400)
    monkeypatch.setattr(settings, "write_whole", _full)
    packs = server.packs(tmp_path)
    packs.load()
    assert (packs.size, _files(tmp_path)) == (0, [tmp_path / "pack"])


def _full(_path: Path, _content: bytes) -> None:
    raise Unavailable("station-disk-full")


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def _revoked(_etag: str | None) -> None:
    raise Refused("station-revoked")


@pytest.mark.parametrize(
    "content", [b"", b"\x06pack-1 torn", SEALER.seal(b"{}", b"desk pack")], ids=["empty", "torn", "of another form"]
)
async def test_a_torn_file_is_no_end_of_the_day(server: Server, tmp_path: Path, content: bytes) -> None:
    """What does not open is left aside, and the pack is fetched anew."""
    (tmp_path / "pack").write_bytes(content)
    packs = server.packs(tmp_path)
    packs.load()
    assert packs.size == 0
    await packs.refresh()
    assert packs.size == 3


async def test_a_station_enrolled_for_another_desk_forgets_the_pack(server: Server, tmp_path: Path) -> None:
    """The pack of the desk that it served before is not used at the new one."""
    await server.packs(tmp_path).refresh()
    moved = SealedPacks(
        tmp_path / "pack", SEALER, server, server.clock, Ours(server.keys[1], CAMPAIGN, ids.DeskId(new_ids.new()))
    )
    moved.load()
    assert moved.size == 0
