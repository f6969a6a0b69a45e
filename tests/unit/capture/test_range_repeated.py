"""A shift that is asked for again: told as it was done, to nobody who might not have done it."""

from uuid import UUID

import pytest

from gradphoto_contracts import ids
from kit import errors
from services.capture import ports
from services.capture.domain import photos
from services.capture.handlers import binding, range_rebind
from tests.unit.capture.test_ranges import photo, shift, student
from tests.unit.capture.twins import NOW, World

REBIND, DIGEST = UUID(int=77), "0" * 64


async def test_a_repeated_shift_is_told_to_those_alone_who_may_move_its_photos() -> None:
    """The reason was written for them; whoever may not is refused, as at the first time."""
    world, moved = World(), photo(1, 2)
    world.photos.rows[moved.shot.capture_id] = moved
    moves: dict[ids.CaptureId, ids.StudentId] = {moved.shot.capture_id: student(2)}
    asked = shift(1, 2, 1)
    done = ports.RangeRebind(REBIND, asked, DIGEST, "lead", "moved up", NOW, moves)
    await world.ranges.add(done)
    seen: list[photos.Photo] = []

    async def allowed(_work: ports.Work, one: photos.Photo) -> None:
        seen.append(one)
        if len(seen) > 1:
            raise errors.Refused("out-of-scope")

    act = binding.Act("other", "crew_lead", "another reason")
    work = world.work()
    assert await range_rebind.apply(work, REBIND, asked, DIGEST, act, allowed) == done
    assert seen == [moved]
    with pytest.raises(errors.Refused):
        await range_rebind.apply(work, REBIND, asked, DIGEST, act, allowed)
