"""Since when a picture may have been taken: from when its body was listened to last, whoever hands it over at last."""

import asyncio
import random
from pathlib import Path

import pytest

from cli.drift import script
from station.cameras import hotfolder
from station.cameras.tethered import bodies, intake, memory, sightings, tray
from station.domain.seating import Chair

SECOND_NS = 1_000_000_000
PICTURE = b"\xff\xd8\xff\xda\x00\x02 a picture of nobody \xff\xd9"
#: As a body over USB is taken to be; it says nothing of its clock.
BODY = bodies.Identity("cam-1", "D-1", numbered=True, lag_ms=1500)
FILES = [bodies.Entry("/DCIM/100TEST", f"DSC_000{number}.JPG", len(PICTURE), 1_700_000_000) for number in (1, 2)]
KEY = ("cam-1", 1)


class Cards(tray.Tray):
    """A tray that pictures come to from one connection after another."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.memory = memory.Memory(path)

    async def connect(self, *entries: bodies.Entry) -> intake.Intake:
        found = intake.Intake(self.memory, self, BODY, pause_s=0.0)
        await found.open(list(entries))
        return found

    def times(self) -> list[tuple[int, int]]:
        return [(exposure.monotonic_ns, exposure.lag_ns) for exposure in self.waiting()]


@pytest.fixture
def cards(tmp_path: Path) -> Cards:
    return Cards(tmp_path / "memory.jsonl")


async def come(card: intake.Intake, content: bytes = PICTURE) -> intake.Came:
    card._fetch_again_at = 0.0
    asked = card.fetch_next()
    assert asked is not None
    return await card.came(asked, asked, content)


async def test_the_answer_to_a_press_is_as_old_as_any_other(cards: Cards) -> None:
    """It may have been taken by the photographer's finger before: the camera's own delay is told."""
    card = await cards.connect()
    cards.press = tray.Press(asyncio.get_running_loop().create_future(), sent_at=9.0)
    await card.added(FILES[0], 10 * SECOND_NS, 10 * SECOND_NS, 6.0)
    await come(card)
    exposure = await cards.press.answer
    assert (exposure.monotonic_ns, exposure.lag_ns) == (10 * SECOND_NS, 1.5 * SECOND_NS)


async def test_a_driver_that_was_busy_tells_for_how_long(cards: Cards) -> None:
    """A picture that was taken while a call did not return is told of after it."""
    card = await cards.connect()
    await card.added(FILES[0], 10 * SECOND_NS, 4 * SECOND_NS, 6.0)
    await come(card)
    assert cards.times() == [(10 * SECOND_NS, 7.5 * SECOND_NS)]


async def test_a_picture_keeps_its_age_over_the_connections(cards: Cards) -> None:
    """Told of and never handed over: the next connection, which hands it over, makes it no younger."""
    card = await cards.connect()
    await card.added(FILES[0], 10 * SECOND_NS, 10 * SECOND_NS, 6.0)
    assert [await come(card, b"") for _ in range(4)][-1] == "given_up"
    cards.sightings.listened(BODY.serial, 500 * SECOND_NS)
    again = await cards.connect(FILES[0])
    await come(again)
    assert cards.times() == [(10 * SECOND_NS, 1.5 * SECOND_NS)]


async def test_a_picture_that_is_found_was_taken_since_its_body_was_listened_to(cards: Cards) -> None:
    """Another body that was at work meanwhile says nothing of it."""
    await cards.connect()
    cards.sightings.listened(BODY.serial, 5 * SECOND_NS)
    cards.sightings.listened("cam-2", 500 * SECOND_NS)
    await come(await cards.connect(FILES[0]))
    ((told_ns, lag_ns),) = cards.times()
    assert told_ns - lag_ns == 3.5 * SECOND_NS


def test_one_that_was_never_listened_to_may_have_taken_it_at_any_time() -> None:
    """After a start of the agent: since the machine's own."""
    seen = sightings.Sightings()
    seen.found(KEY, 50 * SECOND_NS, 0)
    assert seen.of(KEY) == sightings.Sighting(50 * SECOND_NS, 50 * SECOND_NS)


@pytest.mark.parametrize(
    ("lag_ns", "delays_s"), [(BODY.lag_ms * 1_000_000, (0.2, 1.5)), (hotfolder._LAG_NS, (0.5, 1.5))]
)
def test_usual_pictures_raise_no_alarm(lag_ns: int, delays_s: tuple[float, float]) -> None:
    """A day of 10,000 as `drift` draws it, by a camera without a clock: fewer than 0.5 % are nobody's."""
    dice, chair, now_s, alarms, photos = random.Random(1), Chair(None, 0, 0), 100.0, 0, 0
    for place, sitting in enumerate(script.write(10_000, 1).sittings):
        now_s += sitting.change_s
        chair.follow(str(place), int(now_s * SECOND_NS))
        for _ in range(1 + sitting.retakes):
            now_s += sitting.ready_s + dice.uniform(*delays_s)
            photos += 1
            alarms += chair.sitter(int(now_s * SECOND_NS), lag_ns) != str(place)
        chair.follow(None, int(now_s * SECOND_NS))
    assert photos > 10_000
    assert alarms / photos < 0.005
