"""What a desk reports of itself."""

import itertools
import uuid
from datetime import UTC, datetime

import prometheus_client

from gradphoto_contracts import ids
from station import devices, measures
from station.domain import facts
from station.domain.desk import Desk

AT = datetime(2024, 3, 20, 9, tzinfo=UTC)
STUDENT = ids.StudentId(uuid.uuid4())
CHECKIN = ids.CheckinId(uuid.uuid4())


def history(*captures: ids.CaptureId) -> list[facts.Fact]:
    """One student, checked in and seated, of whom these frames were taken."""
    taken = [
        facts.FrameJournalled(capture, "0" * 64, 1, "A1-1", CHECKIN, STUDENT, "camera", number, number, AT)
        for number, capture in enumerate(captures, 1)
    ]
    return [facts.TicketIssued("A1-1", 1, CHECKIN, STUDENT, None, AT), facts.Seated("A1-1", AT), *taken]


def done(campus: str) -> float | None:
    """The counter of students who are done."""
    return prometheus_client.REGISTRY.get_sample_value(
        "gradphoto_students_done_total", {"campus": campus, "desk": "A1"}
    )


def test_a_student_is_done_once_whatever_the_number_of_kept_frames() -> None:
    """A retake does not count, the first kept frame does, another one replaces it."""
    campus = f"campus-{uuid.uuid4()}"
    captures = [ids.CaptureId(uuid.uuid4()) for _ in range(3)]
    desk = Desk("A1", history(*captures))
    figures = measures.Measures(desk, campus)
    counted = []
    for capture, decision in zip(captures, ("retake", "keep", "override"), strict=True):
        fact = facts.FrameDecided(capture, decision, None, AT)  # type: ignore[arg-type]
        desk.apply(fact)
        figures.happened(fact)
        counted.append(done(campus))
    assert counted == [0, 1, 1]


def test_who_was_done_before_a_restart_is_not_counted_again() -> None:
    """The counter of a new process begins at zero, and Prometheus adds the runs up."""
    campus = f"campus-{uuid.uuid4()}"
    capture = ids.CaptureId(uuid.uuid4())
    desk = Desk("A1", [*history(capture), facts.FrameDecided(capture, "keep", None, AT)])
    figures = measures.Measures(desk, campus)
    figures.happened(facts.Seated("A1-1", AT))
    assert done(campus) == 0


def test_a_device_s_trouble_is_counted_once_and_so_is_its_end() -> None:
    """However often it is tried again in between; each device and fault by itself."""
    campus = f"campus-{uuid.uuid4()}"
    figures = measures.Measures(Desk("A1", []), campus)
    watch = devices.Watch("printer", figures.noticed)

    def value(name: str, **labels: str) -> float | None:
        return prometheus_client.REGISTRY.get_sample_value(
            f"gradphoto_device_{name}", {"campus": campus, "desk": "A1", "device": "printer", **labels}
        )

    for _ in range(3):
        watch.troubled("paper_out", "printer-paper-out", waiting=2)
    assert value("troubled") == value("faults_total", fault="paper_out") == 1
    trouble = watch.health().trouble
    assert trouble is not None
    assert trouble.attempts == 2
    watch.well()
    watch.well()
    assert (value("troubled"), value("recoveries_total", fault="paper_out")) == (0, 1)
    assert watch.health().ready


def test_pauses_grow_to_their_bound() -> None:
    """A device is tried for ever, and never less often than that."""
    assert list(itertools.islice(devices.pauses(0.25, 5.0), 7)) == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
