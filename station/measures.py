"""The figures of a desk, worked out from what happens at it."""

from kit import metrics
from station.domain import facts, likeness
from station.domain.desk import Desk
from station.domain.pack import REFUSALS
from station.ports import hardware

_PLACE = ("campus", "desk")

CHECKINS = metrics.counter("gradphoto_checkins_total", "Students checked in", _PLACE)
DONE = metrics.counter("gradphoto_students_done_total", "Students of whom a frame was kept", _PLACE)
CAPTURES = metrics.counter("gradphoto_captures_total", "Frames judged at the desk", (*_PLACE, "verdict"))
FINDINGS = metrics.counter("gradphoto_rule_findings_total", "Rules that frames broke", (*_PLACE, "rule"))
RETAKES = metrics.counter("gradphoto_retakes_total", "Frames taken again", _PLACE)
DRIFTS = metrics.counter("gradphoto_drift_suspected_total", "Suspected drifts", (*_PLACE, "sign"))
TO_SHUTTER = metrics.histogram(
    "gradphoto_checkin_to_shutter_seconds", "From check-in to the first shutter", _PLACE,
    buckets=(5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600),
)  # fmt: skip
TO_VERDICT = metrics.histogram("gradphoto_shutter_to_verdict_seconds", "From the shutter to the verdict", _PLACE)
FACES = metrics.counter(
    "gradphoto_faces_compared_total",
    "Faces compared, where policy and consent allow it",
    (*_PLACE, "against", "outcome"),
)
TO_COMPARE = metrics.histogram("gradphoto_face_comparison_seconds", "Time to compare a frame's face", _PLACE)
QUEUE = metrics.gauge("gradphoto_desk_queue", "Students who hold a ticket and wait", _PLACE)
BACKLOG = metrics.gauge("gradphoto_station_backlog", "Messages that the server has not received", _PLACE)

PACK_AGE = metrics.gauge("gradphoto_station_pack_age_seconds", "Since the server last confirmed the desk pack", _PLACE)
PACK_OLD = metrics.gauge("gradphoto_station_pack_old", "1 while the desk pack is older than policy likes", _PLACE)
PACK_REFUSED = metrics.counter(
    "gradphoto_station_packs_refused_total", "Desk packs that were not the server's, or not for us", (*_PLACE, "code")
)
STARTED = metrics.gauge("gradphoto_station_started_seconds", "When this agent began, in seconds since 1970", _PLACE)
DISK_FREE = metrics.gauge("gradphoto_station_disk_free_bytes", "Free bytes on a station's disk, as it says", _PLACE)
DISK_FULL = metrics.gauge("gradphoto_station_disk_full", "1 while the disk has less than its reserve left", _PLACE)
DISK_REFUSALS = metrics.counter("gradphoto_spool_refusals_total", "Frames that the disk did not take", _PLACE)
SKEW = metrics.gauge("gradphoto_station_clock_skew_seconds", "A station's clock minus the server's", _PLACE)
UPLINK_FAILURES = metrics.counter(
    "gradphoto_uplink_failures_total", "Attempts to tell the server something that came to nothing", (*_PLACE, "code")
)
UPLOADED = metrics.counter(
    "gradphoto_upload_bytes_total", "Bytes of originals that went out, repeated ones too", _PLACE
)
HELD_BACK = metrics.counter(
    "gradphoto_upload_held_back_seconds_total", "Seconds that uploads waited for the bandwidth limit", _PLACE
)
UPLOAD_LIMIT = metrics.gauge(
    "gradphoto_upload_limit_bytes_per_second", "How fast originals may go up; 0 without a limit", _PLACE
)

WEBCAM_FRAMES = metrics.counter(
    "gradphoto_webcam_frames_total", "Frames of webcams that were looked at for a code", (*_PLACE, "seen")
)

DEVICE_FAULTS = metrics.counter("gradphoto_device_faults_total", "Troubles of a device", (*_PLACE, "device", "fault"))
DEVICE_RECOVERIES = metrics.counter(
    "gradphoto_device_recoveries_total", "Troubles of a device that are over", (*_PLACE, "device", "fault")
)
DEVICE_TROUBLED = metrics.gauge("gradphoto_device_troubled", "1 while a device does not work", (*_PLACE, "device"))


class Measures:
    """What one desk reports under its labels."""

    def __init__(self, desk: Desk, campus: str) -> None:
        self._desk = desk
        self._labels = {"campus": campus, "desk": desk.code}
        self._shot_before: set[str] = {frame.taken.ticket for frame in desk.frames.values() if frame.taken.ticket}
        self._done = len(desk.kept)
        for metric in (CHECKINS, DONE, RETAKES, QUEUE, BACKLOG, DISK_REFUSALS, UPLOADED, HELD_BACK):
            metric.labels(**self._labels)
        STARTED.labels(**self._labels).set_to_current_time()
        for code in REFUSALS:  # from zero on, or the first one would be no increase
            PACK_REFUSED.labels(**self._labels, code=code)
        QUEUE.labels(**self._labels).set(len(desk.waiting))

    def happened(self, fact: facts.Fact) -> None:
        """Count a fact that the desk has just taken in."""
        match fact:
            case facts.TicketIssued():
                CHECKINS.labels(**self._labels).inc()
            case facts.FrameJournalled():
                self._first_shutter(fact)
            case facts.FrameJudged():
                CAPTURES.labels(**self._labels, verdict=fact.verdict).inc()
                for rule in fact.rules:
                    FINDINGS.labels(**self._labels, rule=rule).inc()
            case facts.FaceCompared():
                outcome = likeness.likeness(fact.similarity)
                FACES.labels(**self._labels, against=fact.against, outcome=outcome).inc()
            case facts.FrameDecided(uses_up=True):
                RETAKES.labels(**self._labels).inc()
            case facts.DriftSuspected():
                DRIFTS.labels(**self._labels, sign=fact.sign).inc()
        self._count_students()
        QUEUE.labels(**self._labels).set(len(self._desk.waiting))

    def _count_students(self) -> None:
        # A second frame of a student who is done replaces the first: he is counted once.
        done = len(self._desk.kept)
        DONE.labels(**self._labels).inc(done - self._done)
        self._done = done

    def judged_in(self, seconds: float) -> None:
        """How long shutter → verdict took."""
        TO_VERDICT.labels(**self._labels).observe(seconds)

    def compared_in(self, seconds: float) -> None:
        """How long a comparison of faces took."""
        TO_COMPARE.labels(**self._labels).observe(seconds)

    def webcam_looked(self, seen: str) -> None:
        """Count a webcam's frame by what it showed."""
        WEBCAM_FRAMES.labels(**self._labels, seen=seen).inc()

    def noticed(self, notice: hardware.Notice) -> None:
        """Count a device's trouble, or its end."""
        counter = DEVICE_RECOVERIES if notice.recovered else DEVICE_FAULTS
        counter.labels(**self._labels, device=notice.device, fault=notice.fault).inc()
        DEVICE_TROUBLED.labels(**self._labels, device=notice.device).set(0 if notice.recovered else 1)

    def pack(self, age_s: float | None, *, old: bool) -> None:
        """How old the desk pack is."""
        if age_s is not None:
            PACK_AGE.labels(**self._labels).set(age_s)
        PACK_OLD.labels(**self._labels).set(old)

    def pack_refused(self, code: str) -> None:
        """Count a desk pack that was not taken."""
        PACK_REFUSED.labels(**self._labels, code=code).inc()

    def backlog(self, count: int) -> None:
        """How much waits to be sent."""
        BACKLOG.labels(**self._labels).set(count)

    def standing(self, *, free_bytes: int, full: bool, offset_s: float, limit_bytes_s: float | None) -> None:
        """How disk, clock and limit are now."""
        DISK_FREE.labels(**self._labels).set(free_bytes)
        DISK_FULL.labels(**self._labels).set(full)
        SKEW.labels(**self._labels).set(offset_s)
        UPLOAD_LIMIT.labels(**self._labels).set(limit_bytes_s or 0)

    def disk_refused(self) -> None:
        """Count a frame that did not fit."""
        DISK_REFUSALS.labels(**self._labels).inc()

    def uplink_failed(self, code: str) -> None:
        """Count an attempt that came to nothing."""
        UPLINK_FAILURES.labels(**self._labels, code=code).inc()

    def went_up(self, size_bytes: int, waited_s: float) -> None:
        """Count a piece of an original."""
        UPLOADED.labels(**self._labels).inc(size_bytes)
        HELD_BACK.labels(**self._labels).inc(waited_s)

    def _first_shutter(self, frame: facts.FrameJournalled) -> None:
        if frame.ticket is None or frame.ticket in self._shot_before:
            return
        self._shot_before.add(frame.ticket)
        waited = frame.shutter_at - self._desk.tickets[frame.ticket].issued_at
        TO_SHUTTER.labels(**self._labels).observe(max(0.0, waited.total_seconds()))
