"""A frame and the check-in that it names must say one student. Where they do not, neither is believed.

They come in any order: a frame is held against its check-in when it is decided, a check-in against frames in force
when it is recorded. The photo is out of force until a person says whose it is.
"""

from gradphoto_contracts import ids
from services.capture import ports
from services.capture.domain import checkins, photos, sessions
from services.capture.handlers import binding, measures

ACT = binding.Act("server", "system", "checkin_unlike")


async def find(work: ports.Work, photo: photos.Photo) -> checkins.Checkin | None:
    """The check-in that contradicts a frame which is being decided; None where it is not known, or says the same."""
    if photo.shot.checkin_id is None:
        return None
    await work.checkins.lock(photo.shot.checkin_id)
    checkin = await work.checkins.get(photo.shot.checkin_id)
    return checkin if checkin and checkins.contradicts(checkin, photo.shot) else None


async def look(work: ports.Work, checkin: checkins.Checkin) -> None:
    """Take out of force what a check-in contradicts that came late. What a person has moved stays."""
    for photo in await work.photos.in_force_by(checkin.checkin_id):
        if photo.student_id == photo.shot.student_id and checkins.contradicts(checkin, photo.shot):
            await hold(work, photo, checkin)


async def hold(work: ports.Work, photo: photos.Photo, checkin: checkins.Checkin) -> photos.Photo:
    """Keep a photo out of force, and call it out."""
    held, events = photos.hold(photo, ACT.reason)
    await work.photos.save(held)
    await work.photos.note(binding.line(work, held, "held", ACT, photo.student_id))
    await work.say(events)
    await _call_out(work, held, checkin)
    return held


async def _call_out(work: ports.Work, photo: photos.Photo, checkin: checkins.Checkin) -> None:
    """As a drift of the desk that took it, under the photo's own id, so that it is found by it."""
    shot = photo.shot
    place = await work.floor.place(shot.desk_id)
    measures.HELD.labels(campus=place.campus, desk=place.desk).inc()
    drift = sessions.Drift(
        drift_id=ids.DriftId(shot.capture_id),
        campaign_id=shot.campaign_id,
        desk_id=shot.desk_id,
        station_id=shot.station_id,
        sign="frame_unexpected",
        cue="checkin_unlike",
        expected=checkin.ticket,
        seen=shot.ticket or "-",
        suspected_at=work.now,
    )
    noted, events = sessions.tell_drift(drift, await work.sessions.drift(drift.drift_id))
    await work.sessions.save_drift(noted)
    await work.say(events)
