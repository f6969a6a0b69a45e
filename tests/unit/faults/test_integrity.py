"""The comparison of journal, server and store finds what is lost, and says when it would not."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import pytest

from cli.faults import integrity
from cli.faults.agents import Desk
from cli.faults.hall import Hall
from cli.faults.matrix import Seen
from kit import errors

HERE, STUDENT = "station-1", UUID(int=7)
PICTURE = b"a picture"
SHA256 = hashlib.sha256(PICTURE).hexdigest()
ROW = {"capture_id": "c1", "sha256": SHA256, "station_id": HERE, "student_id": str(STUDENT)}


@dataclass
class World:
    """A hall with one desk and one frame, each part of which may tell something else."""

    stored: list[dict[str, Any]] = field(default_factory=lambda: [ROW])
    objects: dict[str, bytes] = field(default_factory=lambda: {SHA256: PICTURE})
    balanced: bool = True
    station_id: str = HERE
    campaign_id: str = "campaign"
    student_ids: tuple[UUID, ...] = (STUDENT,)

    @property
    def store(self) -> "World":
        return self

    async def rows(self) -> list[dict[str, Any]]:
        return self.stored

    async def journal(self) -> list[dict[str, Any]]:
        return [{"capture_id": "c1", "sha256": SHA256}]

    async def get(self, key: str) -> bytes:
        sha256 = key.rpartition("/")[2].removesuffix(".jpg")
        if sha256 not in self.objects:
            raise errors.NotFound("object-missing")
        return self.objects[sha256]

    async def post(self, _path: str) -> dict[str, Any]:
        return {"balanced": self.balanced, "camera_frames": 1, "stored_frames": 1}

    async def compared(self) -> Seen:
        seen = Seen(zh="有字", moved=(0, 1), control="查出")
        seen.took(await integrity.compare(cast(Hall, self), cast(Desk, self), {"c1": 0}))
        return seen


async def test_what_is_whole_passes_and_each_planted_loss_is_found() -> None:
    """A frame gone, twice, of other bytes, of another student; and an object that is not in the store."""
    seen = await World().compared()
    assert seen.missing == []
    assert seen.planted == 5


@pytest.mark.parametrize(
    "world",
    [
        World(stored=[]),
        World(stored=[ROW, {**ROW, "station_id": "station-2"}]),
        World(stored=[{**ROW, "sha256": "0" * 64}]),
        World(stored=[{**ROW, "student_id": "somebody"}]),
        World(stored=[ROW, {**ROW, "capture_id": "c2"}]),
        World(objects={}),
        World(objects={SHA256: b"another picture"}),
        World(balanced=False),
    ],
    ids=["lost", "twice", "hash", "student", "unknown", "no object", "bytes", "camera"],
)
async def test_what_is_not_whole_fails(world: World) -> None:
    """Each fault of a frame is told."""
    assert (await world.compared()).wrong


async def test_a_check_that_sees_nothing_fails_by_the_planted_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: without its eyes the comparison finds nothing wrong, and says so."""

    async def blind(*_: object) -> list[str]:
        return []

    monkeypatch.setattr(integrity, "_differences", lambda *_: [])
    monkeypatch.setattr(integrity, "_bytes", blind)
    seen = await World(stored=[ROW]).compared()
    assert seen.planted == 0
    assert len(seen.wrong) == 5
