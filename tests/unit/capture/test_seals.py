"""A session's numbers compared: runs of frames that nobody has are counted and not gone through."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from gradphoto_contracts import ids
from services.capture.domain import seals

AT = datetime(2024, 5, 20, tzinfo=UTC)
STATION = ids.StationId(UUID(int=7))


def key(number: int) -> ids.CaptureId:
    return ids.CaptureId(UUID(int=number))


def told(*cameras: seals.Camera, journalled: tuple[int, ...] = ()) -> seals.Told:
    """A session whose journal has these numbers of camera V1."""
    return seals.Told(
        session_id=ids.SessionId(UUID(int=1)),
        campaign_id=ids.CampaignId(UUID(int=2)),
        desk_id=ids.DeskId(UUID(int=3)),
        station_id=STATION,
        camera_frames=0,
        cameras=cameras,
        journalled=tuple(seals.Frame(key(number), "a" * 64, "V1", number) for number in journalled),
        journal_intact=True,
        document={},
        signature="",
    )


def stored(*numbers: int) -> list[seals.Stored]:
    return [seals.Stored(key(number), "a" * 64, "V1", number, AT) for number in numbers]


@pytest.mark.parametrize("after", [3_000_000, 2**53])
def test_a_counter_that_jumped_is_counted_and_not_gone_through(after: int) -> None:
    """The first differences are listed, the whole number is told; it takes no longer for more."""
    sealed, (event,) = seals.seal(told(seals.Camera("V1", 0, after), journalled=(2,)), stored(2), None, AT)
    assert (sealed.state, len(sealed.differences), sealed.difference_count) == ("refused", seals.LISTED, after - 1)
    assert [one.frame_counter for one in sealed.differences[:3]] == [1, 3, 4]
    assert event.model_dump()["differences"] == after - 1


@pytest.mark.parametrize(
    ("journalled", "here", "found"),
    [
        ((1, 2, 3), (1, 2, 3), []),
        ((1, 3), (1, 3), [("not_counted", 2)]),
        ((2,), (2,), [("not_counted", 1), ("not_counted", 3)]),
        ((1, 2), (1, 2, 3), [("not_journalled", 3)]),
        ((), (), [("not_counted", 1), ("not_counted", 2), ("not_counted", 3)]),
        ((1, 2, 3, 9), (1, 2, 3, 9), []),
        ((1, 2, 3), (1, 2), [("frame_missing", 3)]),
    ],
)
def test_what_a_camera_counted_is_compared_number_by_number(
    journalled: tuple[int, ...], here: tuple[int, ...], found: list[tuple[str, int]]
) -> None:
    """Gaps at the beginning, in the middle and at the end; a number that only the server has is another fault."""
    differences, count = seals.compare(told(seals.Camera("V1", 0, 3), journalled=journalled), stored(*here))
    assert [(one.kind, one.frame_counter) for one in differences] == found
    assert count == len(found)


def test_a_counter_that_went_back_is_one_difference() -> None:
    """Nothing is counted from a camera whose end lies before its beginning."""
    differences, count = seals.compare(told(seals.Camera("V1", 2**53, -1)), [])
    assert ([one.kind for one in differences], count) == (["camera_went_back"], 1)
