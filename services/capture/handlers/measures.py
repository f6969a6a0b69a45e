"""The figures that capture keeps, by campus and desk."""

from kit import metrics

PLACE = ("campus", "desk")

STORED = metrics.histogram(
    "gradphoto_shutter_to_stored_seconds",
    "From the shutter to the verified original in the store",
    PLACE,
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 86400),
)
DECIDED = metrics.counter("gradphoto_photos_total", "Photos by what became of them", (*PLACE, "outcome"))
DISAGREEMENTS = metrics.counter(
    "gradphoto_verdict_disagreements_total",
    "Photos that desk and authority judged differently",
    (*PLACE, "desk_verdict", "verdict"),
)
CONFLICTS = metrics.counter(
    "gradphoto_capture_conflicts_total", "Requests that contradict what is stored under the same id", ("subject",)
)
HELD = metrics.counter(
    "gradphoto_captures_held_total", "Photos held out of force: their check-in says another student", PLACE
)
RANGES = metrics.counter("gradphoto_range_rebinds_total", "Shifts of a range of photos", ("outcome",))
DOUBLES = metrics.counter("gradphoto_capture_doubles_total", "Students found taken at two desks", ("apart",))
DOUBLES_SETTLED = metrics.counter("gradphoto_capture_doubles_settled_total", "Such students, by who decided", ("by",))
OVERRIDES = metrics.counter(
    "gradphoto_overrides_total", "What somebody let pass at a desk against standard or plan", ("subject", "role")
)
CONSENTS = metrics.counter(
    "gradphoto_consents_total", "Words of students on face comparison that came in, by what they said", ("given",)
)
HASH_FAULTS = metrics.counter("gradphoto_hash_mismatches_total", "Originals whose bytes are not what the desk said")
INSPECTION = metrics.histogram("gradphoto_inspection_seconds", "Inspection and composition of one original")
INSPECTION_FAULTS = metrics.counter("gradphoto_inspection_failures_total", "Inspections that ended in an error")
ORIGINALS_UNREAD = metrics.counter(
    "gradphoto_originals_unread_total", "Tries to inspect a photo whose original cannot be had", ("fault",)
)
ORIGINALS_LOST = metrics.gauge(
    "gradphoto_originals_lost", "Photos that wait for an original which cannot be had", ("campaign",)
)
BACKLOG = metrics.gauge("gradphoto_station_backlog", "Frames that a station has not uploaded yet, as it says", PLACE)
DISK = metrics.gauge("gradphoto_station_disk_free_bytes", "Free bytes on a station's disk, as it says", PLACE)
SKEW = metrics.gauge("gradphoto_station_clock_skew_seconds", "A station's clock minus the server's", PLACE)
PACK_OLD = metrics.gauge(
    "gradphoto_station_pack_old", "1 while a station's desk pack is older than policy likes", PLACE
)
PACK_AGE = metrics.gauge(
    "gradphoto_station_pack_age_seconds", "How long ago a station's desk pack was the newest", PLACE
)
AUDIT_FINDINGS = metrics.gauge(
    "gradphoto_audit_findings",
    "What the last full audit of a campaign found wrong, or a smaller one since",
    ("campaign", "kind"),
)
AUDIT_AGE = metrics.gauge(
    "gradphoto_audit_age_seconds",
    "How long ago the last full audit of a campaign began that has ended, or the first that has not",
    ("campaign", "open"),
)
SESSIONS_REFUSED = metrics.gauge(
    "gradphoto_sessions_refused", "Sessions that are not sealed because camera, journal and server differ", PLACE
)
ENCRYPTED = metrics.gauge("gradphoto_store_encrypts", "1 when the store encrypts what is put into our bucket")
LOCKED = metrics.gauge("gradphoto_object_lock", "1 when the store keeps originals under object lock")
ONLINE = metrics.gauge("gradphoto_station_online", "1 when the desk's station is heard, 0 when it is lost", PLACE)
PLANNED = metrics.gauge("gradphoto_desk_planned_per_hour", "Students an hour that the plan expects of a desk", PLACE)
