"""Small pictures of the last frames for the desk's screen: in memory alone, never on the disk."""

import asyncio
from collections import OrderedDict

from gradphoto_contracts import ids
from photospec import preview
from station.ports import keeping

#: As high as a console shows a frame.
_HEIGHT_PX = 1200
_HELD = 8


class Previews:
    """Made when first asked for; the last few are held, also after the spool has let the frame go."""

    def __init__(self, spool: keeping.Spool) -> None:
        self._spool = spool
        self._made: OrderedDict[ids.CaptureId, bytes] = OrderedDict()

    def has(self, capture_id: ids.CaptureId) -> bool:
        """Whether the preview is held."""
        return capture_id in self._made

    async def keep(self, capture_id: ids.CaptureId, jpeg: bytes) -> None:
        """Make the preview now, of a frame that the spool may let go at once."""
        self._made[capture_id] = await asyncio.to_thread(preview.make, jpeg, _HEIGHT_PX)
        while len(self._made) > _HELD:
            self._made.popitem(last=False)

    async def get(self, capture_id: ids.CaptureId) -> bytes:
        """The frame's preview as JPEG. Raises NotFound, Tampered, or photospec's UnreadableImage."""
        if capture_id not in self._made:
            await self.keep(capture_id, await self._spool.get(capture_id))
        return self._made[capture_id]
