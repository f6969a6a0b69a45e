"""Whom the last window left without a photo."""

from gradphoto_contracts import scheduler as says
from services.scheduler.domain import running
from services.scheduler.ports import Work


async def find_missed(work: Work) -> int:
    """Say of every eligible student whom the last window left without a photo that it was missed; once each."""
    found = await work.absences.find(work.now - running.MISSED_AFTER, work.now)
    await work.events.add_all(says.StudentMissedV1(version=1, **one._asdict()) for one in found)
    return len(found)
