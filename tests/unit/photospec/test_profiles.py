"""Profiles are data that can be met: complete, in both languages, and without contradiction."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photospec import framing, profiles

NUMBERS_OF_THE_STANDARD = {"G1": (480, 480), "G1h": (640, 640), "P1": (50, 110), "P2": (200, 300), "P3": (180, 300)}


@pytest.mark.parametrize("name", profiles.names())
def test_no_two_rules_contradict(name: str) -> None:
    """Rules on one measured value leave room for a value, and refusal limits lie outside the limits."""
    profile = profiles.load(name)
    by_measure: dict[str, framing.Interval] = {}
    for rule in profile.rules:
        if rule.judged_by == "person":
            continue
        own = _interval(rule.low, rule.high)
        gross = _interval(rule.reject_low, rule.reject_high)
        assert gross.low <= own.low <= own.high <= gross.high, rule.id
        by_measure[rule.measure] = by_measure.get(rule.measure, _interval(None, None)).meet(own)
    assert {measure for measure, interval in by_measure.items() if interval.low > interval.high} == set()


@pytest.mark.parametrize("name", profiles.names())
def test_a_photo_that_meets_all_geometry_rules_exists(name: str) -> None:
    """For an ordinary head the solver finds one crop that keeps P1, P2 and P3 together."""
    target = profiles.load(name).target
    for head in (0.75, 0.95, 1.15):  # crown to eyes over face width, as measured on real people
        subject = framing.Subject(1600, 2400, 500.0, 500 + head * 560, 560.0, 800.0)
        crop = framing.plan(subject, target)
        assert _kept(crop.down(subject.crown_y), target.head_room_px), head
        assert _kept(crop.down(subject.eyes_y), target.eyes_px), head
        assert _kept(crop.scale * subject.face_width_px, target.face_width_px), head


@pytest.mark.parametrize("name", profiles.names())
def test_the_file_sizes_can_be_met(name: str) -> None:
    """What composition aims for lies inside the size rule, and its quality inside the quality rule."""
    profile = profiles.load(name)
    size, quality = profile.rule("G6"), profile.rule("G5")
    assert size.low is not None
    assert size.high is not None
    assert quality.low is not None
    assert size.low <= profile.output.least_bytes < profile.output.most_bytes <= size.high
    assert profile.output.least_quality >= quality.low


@pytest.mark.parametrize("name", profiles.names())
def test_every_rule_speaks_both_languages(name: str) -> None:
    """No rule is silent towards operator or student."""
    for rule in profiles.load(name).rules:
        assert all((rule.reason_zh, rule.reason_en)), rule.id
        assert bool(rule.advice_zh) == bool(rule.advice_en), rule.id


@pytest.mark.parametrize("name", profiles.names())
def test_the_numbers_of_the_standard_refuse(name: str) -> None:
    """Where 教毕指〔2017〕99号 gives a number, that number is the limit and breaking it refuses the photo."""
    profile = profiles.load(name)
    for rule_id, limits in NUMBERS_OF_THE_STANDARD.items():
        rule = profile.rule(rule_id)
        assert ((rule.low, rule.high), rule.severity) == (limits, "reject"), rule_id


def test_a_profile_may_stand_on_another() -> None:
    """The white variant is the same standard with another backdrop, where blue clothes are allowed."""
    blue, white = profiles.load("chsi-2017-99"), profiles.load("chsi-2017-99-white")
    assert dataclasses.astuple(white.backdrop) == (255, 255, 255)
    assert {rule.id for rule in blue.rules} - {rule.id for rule in white.rules} == {"C2"}


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    """A misspelt name tells what could have been meant."""
    with pytest.raises(profiles.ProfileUnknown, match="chsi-2017-99-white"):
        profiles.load("chsi-2017-9")


sides = st.integers(480, 8000)


@given(
    width_px=sides, height_px=sides, crown=st.floats(0, 0.6), eyes=st.floats(0.01, 0.4), face=st.floats(0.02, 1),
    centre=st.floats(0, 1),
)  # fmt: skip
def test_a_crop_never_leaves_the_picture(
    width_px: int, height_px: int, crown: float, eyes: float, face: float, centre: float
) -> None:
    """Whatever was found where, the crop lies inside the picture and has the photo's proportions."""
    target = profiles.load().target
    top = crown * height_px
    subject = framing.Subject(width_px, height_px, top, top + eyes * height_px, face * width_px, centre * width_px)
    crop = framing.plan(subject, target)
    assert crop.x >= 0
    assert crop.y >= 0
    assert crop.x + crop.width <= width_px + 1e-6
    assert crop.y + crop.height <= height_px + 1e-6
    assert crop.width / crop.height == pytest.approx(480 / 640)


def _interval(low: float | None, high: float | None) -> framing.Interval:
    return framing.Interval(float("-inf") if low is None else low, float("inf") if high is None else high)


def _kept(value: float, interval: framing.Interval) -> bool:
    return interval.low - 1e-6 <= value <= interval.high + 1e-6
