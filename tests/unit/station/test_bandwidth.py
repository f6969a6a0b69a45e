"""The token bucket before uploads: no faster than told, in turns, and no flood after a pause."""

import asyncio

import pytest

from station.bandwidth import BYTES_PER_KBIT, CHUNK_BYTES, Bucket, tighter


class Time:
    """Passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.held_s = 0.0
        self.passed = 0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def note(self, size: int, waited_s: float) -> None:
        self.passed += size
        self.held_s += waited_s


def _bucket(time: Time, limit: float | None) -> Bucket:
    return Bucket(lambda: limit, passed=time.note, monotonic=time, sleep=time.sleep)


async def test_bytes_go_no_faster_than_the_limit() -> None:
    """A megabyte at 100,000 bytes a second takes ten seconds, all of them counted as held back."""
    time = Time()
    poured = [chunk async for chunk in _bucket(time, 100_000).poured(bytes(1_000_000))]
    assert b"".join(poured) == bytes(1_000_000)
    assert max(map(len, poured)) == CHUNK_BYTES
    assert 9.9 <= time.now - 100.0 <= 10.1
    assert time.held_s == pytest.approx(time.now - 100.0)
    assert time.passed == 1_000_000


async def test_without_a_limit_nothing_waits() -> None:
    """The control: the same bytes at once."""
    time = Time()
    assert b"".join([chunk async for chunk in _bucket(time, None).poured(bytes(1_000_000))]) == bytes(1_000_000)
    assert (time.now, time.held_s, time.passed) == (100.0, 0.0, 1_000_000)


async def test_a_pause_earns_no_flood() -> None:
    """After an hour of silence half a second's worth is ahead, no more."""
    time = Time()
    bucket = _bucket(time, 100_000)
    await bucket.take(100_000)
    time.now += 3600
    began = time.now
    await bucket.take(1_000_000)
    assert 9.4 <= time.now - began <= 9.6


async def test_uploads_under_way_take_turns() -> None:
    """Two pictures share the line: neither waits for the other's end."""
    time, order = Time(), list[str]()
    bucket = _bucket(time, 100_000)

    async def pour(name: str) -> None:
        async for _ in bucket.poured(bytes(CHUNK_BYTES * 4)):
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(pour("a"), pour("b"))
    assert order[0] != order[1]
    assert sorted(order) == ["a"] * 4 + ["b"] * 4


def test_the_tighter_of_two_limits_holds() -> None:
    """The desk's own setting and the campaign's policy: whichever is lower; none where neither says one."""
    assert tighter(800, 2000) == tighter(None, 800) == 800 * BYTES_PER_KBIT == 100_000
    assert tighter(None, None) is None
