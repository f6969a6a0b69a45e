"""RAW files that came after their JPEG: each frame knows whether the sensor's own picture lies beside it."""

from collections.abc import Sequence

from gradphoto_contracts import ids
from station.domain import rules
from station.handlers import recording
from station.ports import workplace


async def look(work: workplace.Work) -> None:
    """Journal what the camera has found; of a frame that is not journalled yet it tells again."""
    found = {key: work.desk.exposures.get(key) for key in await work.camera.raw_pairs()}
    journalled = {key: capture_id for key, capture_id in found.items() if capture_id}
    await note(work, list(journalled.values()))
    for key in journalled:
        await work.camera.raw_noted(key)


async def note(work: workplace.Work, capture_ids: Sequence[ids.CaptureId]) -> None:
    """Journal that these frames have a RAW. Again changes nothing."""
    async with work.lock:
        now = work.clock.now()
        await recording.record(work, [fact for one in capture_ids for fact in rules.note_raw(work.desk, one, now)])
