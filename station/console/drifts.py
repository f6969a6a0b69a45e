"""A suspected drift as the operator is asked about it."""

from datetime import datetime

from station.api import answers
from station.console import views
from station.domain import desk as desks
from station.domain import facts, resolving


def asked(desk: desks.Desk, now: datetime) -> views.Drift | None:
    """The first open drift with the answers that the desk would take; None while none is suspected."""
    drift = desk.drift
    if drift is None:
        return None
    told = {"expected": drift.expected, "seen": drift.seen}
    words = views.message(answers.drift_code(drift), "stop", told)
    ways = [(way, views.message(_way(desk, drift, way), "stop", told)) for way in resolving.ways_out(desk, now)]
    return views.Drift(
        drift_id=drift.drift_id,
        sign=drift.sign,
        expected=drift.expected,
        seen=drift.seen,
        capture_id=drift.capture_id,
        zh=words.zh,
        en=words.en,
        ways=tuple(views.Way(resolution=way, zh=said.zh, en=said.en) for way, said in ways),
        open=len(desk.drifts),
    )


def _way(desk: desks.Desk, drift: facts.DriftSuspected, way: facts.Resolution) -> str:
    """The code of what an answer does. A photo that was kept before the alarm stays, until staff put it right."""
    if way == "dismiss" and drift.sign in facts.LATE_SIGNS and drift.capture_id not in desk.undecided:
        return "console-drift-late-dismiss"
    return f"console-drift-{drift.sign.replace('_', '-')}-{way}"
