"""What a desk may say: values that no row holds, and words where codes belong, are refused at the door."""

from typing import Any
from uuid import UUID

import pydantic
import pytest

from services.capture.api.bodies import desk, halls, seals, shape, stations

AT = "2024-05-20T09:00:00+08:00"
SHA = "0" * 64
WHOLE: dict[type[pydantic.BaseModel], dict[str, Any]] = {
    desk.Capture: {
        "student_id": None,
        "checkin_id": None,
        "ticket": "A1-0001",
        "sha256": SHA,
        "size_bytes": 5,
        "shutter_at": AT,
        "camera_serial": "V1",
        "frame_counter": 1,
        "monotonic_ns": 1,
        "decision": "unbound",
    },
    desk.Checkin: {"student_id": str(UUID(int=1)), "ticket": "A1-0001", "checked_in_at": AT},
    desk.Drift: {"sign": "ticket_skipped", "expected": "A1-0001", "seen": "A1-0002", "suspected_at": AT},
    halls.HallGrant: {"term": 1},
    halls.Release: {"released_at": AT},
    seals.CountedCamera: {"serial": "V1", "before": -1, "after": 5},
    seals.SealAsked: {"camera_frames": 1, "journalled": [], "signature": "a..b"},
    stations.Heartbeat: {"backlog": 0},
    stations.NewStation: {"campaign_id": str(UUID(int=1)), "desk_id": str(UUID(int=2)), "label": "笔记本 1"},
}

HOSTILE = [
    (desk.Capture, "frame_counter", 2**63),
    (desk.Capture, "monotonic_ns", 2**64),
    (desk.Capture, "size_bytes", 2**63),
    (desk.Capture, "ticket", "A1-0001\0"),
    (desk.Capture, "ticket", "王小明 6104300123"),
    (desk.Capture, "ticket", "610430199901011234"),
    (desk.Capture, "ticket", "A1-0001\n"),
    (desk.Capture, "shutter_at", "0001-01-01T00:00:00+08:00"),
    (desk.Capture, "shutter_at", "9999-12-31T23:59:59-08:00"),
    (desk.Capture, "clock_offset_s", float("nan")),
    (desk.Capture, "desk_rules", ["zhangwei"]),
    (desk.Checkin, "ticket", "Wang Xiaoming"),
    (desk.Checkin, "checked_in_at", "9999-12-31T23:59:59-08:00"),
    (desk.Drift, "expected", "Wang Xiaoming"),
    (desk.Drift, "expected", "zhangwei"),
    (desk.Drift, "seen", "610430199901011234"),
    (desk.Drift, "seen", "19988770001"),
    (desk.Drift, "seen", "１２３"),
    (desk.Drift, "cue", "zhangwei"),
    (desk.Drift, "resolution", "zhangwei"),
    (halls.HallGrant, "term", 2**70),
    (halls.Release, "released_at", "0001-01-01T00:00:00+08:00"),
    (seals.CountedCamera, "after", 2**63),
    (seals.CountedCamera, "before", -(2**70)),
    (seals.SealAsked, "camera_frames", 2**70),
    (seals.SealAsked, "opened_at", "Wang Xiaoming"),
    (seals.SealAsked, "signature", "a\0b"),
    (stations.Heartbeat, "skew_s", float("nan")),
    (stations.Heartbeat, "skew_s", float("inf")),
    (stations.Heartbeat, "skew_s", "nan"),
    (stations.Heartbeat, "pack_age_s", 1e300),
    (stations.Heartbeat, "backlog", 2**63),
    (stations.NewStation, "label", "笔记本\0"),
]


@pytest.mark.parametrize("kind", WHOLE, ids=lambda kind: kind.__name__)
def test_an_honest_body_is_taken(kind: type[pydantic.BaseModel]) -> None:
    """Without this the refusals below would say nothing."""
    kind.model_validate(WHOLE[kind])


@pytest.mark.parametrize(("kind", "name", "value"), HOSTILE)
def test_what_no_row_holds_is_refused(kind: type[pydantic.BaseModel], name: str, value: object) -> None:
    """Numbers, times and texts that end in the database's error, and people's words in what becomes an event."""
    with pytest.raises(pydantic.ValidationError) as refused:
        kind.model_validate({**WHOLE[kind], name: value})
    assert {error["loc"][0] for error in refused.value.errors()} == {name}


@pytest.mark.parametrize(
    "said", ["-", "A1-0001", "GYM-2-0001@A2", "A1-0001@?", "8", "1234567890", "12.5 s", "310 s", "0.87", "-0.02"]
)
def test_whatever_a_desk_observes_can_be_said(said: str) -> None:
    """The forms in which a station tells what it expected and saw."""
    desk.Drift.model_validate({**WHOLE[desk.Drift], "seen": said})


def test_a_laptop_with_a_dead_battery_lives_in_1970() -> None:
    """Its frames are taken all the same; clocks are measured, and no desk is told to set its own."""
    desk.Capture.model_validate({**WHOLE[desk.Capture], "shutter_at": "1970-01-01T00:00:05+08:00"})
    assert shape.LARGEST == 2**63 - 1
