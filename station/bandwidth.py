"""How fast originals may go up: a token bucket, so that a desk leaves room on a hall's thin line."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

#: So much goes at once: at the least sensible limit still several times a second.
CHUNK_BYTES = 16 * 1024
#: What was not used is kept for this long, no longer: a pause does not earn a flood.
_BURST_S = 0.5
BYTES_PER_KBIT = 125


class Bucket:
    """Tokens are bytes. `limit` gives bytes a second, or None for no limit, and is asked anew for each chunk."""

    def __init__(
        self,
        limit: Callable[[], float | None],
        *,
        passed: Callable[[int, float], None] = lambda _bytes, _waited_s: None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`passed` hears of every chunk: how many bytes, and how many seconds it was held back."""
        self._limit, self._passed, self._monotonic, self._sleep = limit, passed, monotonic, sleep
        self._tokens = 0.0
        self._at = monotonic()
        # Uploads under way together queue here, so that each gets its turn.
        self._turn = asyncio.Lock()

    async def take(self, size: int) -> None:
        """Return when `size` more bytes may go."""
        async with self._turn:
            waited_s = self._debt_s(size)
            if waited_s:
                await self._sleep(waited_s)
        self._passed(size, waited_s)

    async def poured(self, content: bytes) -> AsyncIterator[bytes]:
        """The content in chunks, each when it may go."""
        for start in range(0, len(content), CHUNK_BYTES):
            chunk = content[start : start + CHUNK_BYTES]
            await self.take(len(chunk))
            yield chunk

    def _debt_s(self, size: int) -> float:
        now, limit = self._monotonic(), self._limit()
        elapsed_s, self._at = now - self._at, now
        if limit is None:
            self._tokens = 0.0
            return 0.0
        self._tokens = min(limit * _BURST_S, self._tokens + elapsed_s * limit) - size
        return max(0.0, -self._tokens / limit)


def tighter(*limits_kbit_s: int | None) -> float | None:
    """Bytes a second of the tightest limit; None when there is none."""
    known = [limit for limit in limits_kbit_s if limit is not None]
    return min(known) * BYTES_PER_KBIT if known else None
