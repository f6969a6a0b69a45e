"""What other services tell roster: who has a photo."""

from gradphoto_contracts import capture
from services.roster.ports import Work


async def on_photo_accepted(work: Work, event: capture.PhotoAcceptedV1) -> None:
    """The student has a photo."""
    await work.photos.put(event.capture_id, event.student_id, in_force=True, version=event.version)


async def on_photo_rebound(work: Work, event: capture.PhotoReboundV1) -> None:
    """The photo is another student's."""
    await work.photos.put(event.capture_id, event.student_id, in_force=True, version=event.version)


async def on_photo_withdrawn(work: Work, event: capture.PhotoWithdrawnV1) -> None:
    """The student has this photo no more."""
    await work.photos.put(event.capture_id, event.student_id, in_force=False, version=event.version)
