"""Who sits and what was photographed, as far as this desk may show it."""

from collections.abc import Iterator

from station import previews
from station.console import views
from station.domain import desk as desks
from station.domain import facts, likeness
from station.domain.pack import Entry, Pack
from station.handlers import calibration, comparing
from station.ports import verdicts, workplace

_RECENT_SHOWN = 3


class Seen:
    """People and frames as this desk may show them."""

    def __init__(self, work: workplace.Work, pack: Pack | None, shown: previews.Previews) -> None:
        self._work, self._desk, self._pack, self._shown = work, work.desk, pack, shown
        self._classes = {planned.class_id: planned for planned in pack.classes} if pack else {}

    def person(self, number: str) -> views.Person:
        """The holder of a ticket."""
        ticket = self._desk.tickets[number]
        entry = self._work.packs.entry(ticket.student_id)
        planned = self._classes.get(ticket.class_id) if ticket.class_id else None
        return views.Person(
            ticket=number,
            class_label=planned.label if planned else None,
            order_code=planned.order_code if planned else None,
            ordinal=entry.ordinal if entry else None,
            name_masked=self._name(entry),
            retakes=ticket.retakes,
            face_consent=ticket.student_id in self._desk.consents,
        )

    def current(self) -> views.Frame | None:
        """The frame that awaits its decision: of whoever sits, else the oldest."""
        desk = self._desk
        of_seated = desk.undecided_of(desk.seated) if desk.seated else None
        oldest = next((desk.frames[capture_id] for capture_id in desk.undecided), None)
        frame = of_seated or oldest
        return self._frame(frame) if frame else None

    def recent(self) -> Iterator[views.Frame]:
        """The last frames that were decided, newest first."""
        found = 0
        for frame in reversed(self._desk.frames.values()):
            if frame.decided and found < _RECENT_SHOWN:
                found += 1
                yield self._frame(frame)
            elif found == _RECENT_SHOWN:
                return

    def _name(self, entry: Entry | None) -> str | None:
        if entry is None or self._pack is None or self._pack.identity_mode == "capture_code":
            return None
        return entry.name_masked

    def _frame(self, frame: desks.Frame) -> views.Frame:
        capture_id = frame.taken.capture_id
        judgement = self._work.judgements.get(capture_id)
        return views.Frame(
            capture_id=capture_id,
            ticket=frame.taken.ticket,
            state=frame.state,
            verdict=frame.judged.verdict if frame.judged else None,
            decision=frame.decided.decision if frame.decided else None,
            test_shot=bool(frame.decided and frame.decided.reason == calibration.REASON),
            damaged=capture_id in self._work.damaged,
            shown=self._shown.has(capture_id) or frame.received is None,
            reasons=_reasons(judgement) if judgement else (),
            for_a_person=tuple(map(reason, judgement.for_a_person)) if judgement else (),
            rules=frame.judged.rules if frame.judged else (),
            marks=judgement.marks if judgement else None,
            faces=tuple(_compared(frame)),
        )


def consent(work: workplace.Work) -> views.Message | None:
    """What a student consents to before faces are compared; None where none are."""
    text = comparing.consent_text(work)
    return views.Message(code="face-consent", severity="info", zh=text.zh, en=text.en) if text else None


#: What is to be told of a comparison. The others are as they should be.
TELLING: dict[tuple[facts.Against, likeness.Likeness], views.Severity] = {
    ("previous", "likely"): "warn",
    ("previous", "unclear"): "info",
    ("own", "unlike"): "warn",
    ("own", "unclear"): "info",
    ("reference", "unlike"): "warn",
    ("reference", "unclear"): "warn",
}


def _compared(frame: desks.Frame) -> Iterator[views.Message]:
    for compared in frame.faces:
        band = likeness.likeness(compared.similarity)
        if severity := TELLING.get((compared.against, band)):
            yield views.message(f"face-{compared.against}-{band}", severity)


def _reasons(judgement: verdicts.Judgement) -> tuple[views.Reason, ...]:
    """What refuses the photo comes first: it is what the student is told."""
    worst_first = sorted(judgement.findings, key=lambda finding: finding.severity != "reject")
    return tuple(reason(finding) for finding in worst_first)


def reason(finding: verdicts.Finding) -> views.Reason:
    """A finding as the page shows it."""
    return views.Reason(**{name: getattr(finding, name) for name in views.Reason.model_fields})
