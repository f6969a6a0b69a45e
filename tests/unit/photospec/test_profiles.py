"""Profiles are data that can be met: complete, in both languages, and without contradiction."""

import dataclasses
import itertools
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photospec import composition, framing, inspection, profiles
from station.cameras import portraits
from tests.unit.photospec import solver

NUMBERS_OF_THE_STANDARD = {"G1": (480, 480), "G1h": (640, 640), "P1": (50, 110), "P2": (200, 300), "P3": (180, 300)}


#: What holds for every photo of a person, whatever the rules say: sums of measures that stay at or below a bound.
#: Crown to eyes is 0.75 to 1.15 of the face's width, eyes to chin at most 1.0 (real people); a colour differs at least
#: as much as its lightness does; shares are of the same clothes.
NATURE: list[tuple[dict[str, float], float]] = [
    ({"eyes_px": 1, "head_room_px": -1, "face_width_px": -1.15}, 0),
    ({"eyes_px": -1, "head_room_px": 1, "face_width_px": 0.75}, 0),
    ({"eyes_px": 1, "face_width_px": 1.0, "height_px": -1}, 0),
    ({"centre_offset_px": 1, "face_width_px": 0.5, "width_px": -0.5}, 0),
    ({"backdrop_lightness_offset": 1, "backdrop_difference": -1}, 0),
    ({"backdrop_lightness_offset": -1, "backdrop_difference": -1}, 0),
    ({f"clothing_{hue}_share": 1 for hue in ("blue", "green", "yellow", "purple")}, 1),
]


def _said(rule: profiles.Rule) -> list[solver.Inequality]:
    low = [] if rule.low is None else [solver.at_least({rule.measure: 1}, rule.low)]
    return low + ([] if rule.high is None else [solver.at_most({rule.measure: 1}, rule.high)])


def _around(rules: Iterable[profiles.Rule], output: profiles.Output) -> list[solver.Inequality]:
    """Nature, and what composition makes; no measure but the lightness is ever below nought."""
    measures = {rule.measure for rule in rules} | {name for terms, _ in NATURE for name in terms}
    floor = [solver.at_least({name: 1}, 0) for name in measures if name != "backdrop_lightness_offset"]
    made = [
        solver.at_least({"bytes": 1}, output.least_bytes), solver.at_most({"bytes": 1}, output.most_bytes),
        solver.at_least({"quality": 1}, output.least_quality), solver.at_most({"quality": 1}, 100),
        solver.at_least({"width_px": 1}, output.width_px), solver.at_most({"width_px": 1}, output.width_px),
        solver.at_least({"height_px": 1}, output.height_px), solver.at_most({"height_px": 1}, output.height_px),
    ]  # fmt: skip
    return floor + made + [solver.at_most(terms, bound) for terms, bound in NATURE]


def _together(rules: Iterable[profiles.Rule], output: profiles.Output) -> bool:
    """Whether some photo keeps all of these."""
    measured = [rule for rule in rules if rule.judged_by == "machine"]
    said = [part for rule in measured for part in _said(rule)]
    return solver.feasible([*solver.about(_around(measured, output), (rule.measure for rule in measured)), *said])


def _contradictions(rules: Iterable[profiles.Rule], output: profiles.Output) -> list[tuple[str, ...]]:
    """Pairs of rules that no photo keeps together; or, where only more than two clash, all their ids.

    One photo that keeps all rules keeps every two of them, so the pairs are looked at only where there is none.
    """
    measured = [rule for rule in rules if rule.judged_by == "machine"]
    around = _around(measured, output)
    if _together(measured, output):
        return []
    pairs: list[tuple[str, ...]] = [
        (one.id, other.id)
        for one, other in itertools.combinations(measured, 2)
        if not solver.feasible([*solver.about(around, (one.measure, other.measure)), *_said(one), *_said(other)])
    ]
    return pairs or [tuple(rule.id for rule in measured)]


@pytest.mark.parametrize("name", profiles.names())
def test_no_two_rules_contradict(name: str) -> None:
    """A solver finds a photo for every two rules of a profile, and one for all of them at once."""
    profile = profiles.load(name)
    assert _contradictions(profile.rules, profile.output) == []


PLANTED: list[tuple[str, dict[str, Any], tuple[str, str] | None]] = [
    ("P2", {"low": 100.0, "high": 120.0}, ("P2", "P3")),  # a face that wide has its eyes lower
    ("P3", {"low": 400.0, "high": 460.0}, ("P2", "P3")),
    ("E1", {"low": -60.0, "high": -40.0}, ("E1", "B1")),  # a backdrop that much darker has another colour
    ("G6", {"low": 61440.0, "high": 92160.0}, None),  # no file that composition makes: G6 clashes with everything
    ("G1", {"low": 600.0, "high": 600.0}, None),
]


@pytest.mark.parametrize(("rule_id", "changes", "clash"), PLANTED)
def test_a_planted_contradiction_is_found(rule_id: str, changes: Any, clash: tuple[str, str] | None) -> None:
    """The solver is not merely content with everything."""
    profile = profiles.load()
    rules = [dataclasses.replace(rule, **changes) if rule.id == rule_id else rule for rule in profile.rules]
    found = _contradictions(rules, profile.output)
    assert found
    assert clash is None or clash in found
    assert all(rule_id in pair for pair in found)


@pytest.mark.parametrize("name", profiles.names())
def test_a_planted_contradiction_is_found_in_every_profile(name: str) -> None:
    """Whichever province or portal a profile is for: each plant leaves no photo, and the pair that is to blame none."""
    profile = profiles.load(name)
    for rule_id, changes, clash in PLANTED:
        rules = {rule.id: rule for rule in profile.rules if rule.judged_by == "machine"}
        rules[rule_id] = dataclasses.replace(rules[rule_id], **changes)
        assert not _together(rules.values(), profile.output), rule_id
        assert clash is None or not _together([rules[one] for one in clash], profile.output), clash


@pytest.mark.parametrize("name", profiles.names())
@pytest.mark.parametrize(
    ("low", "high", "fits"),
    [(30_720.0, 40_960.0, True), (20_480.0, 40_960.0, True), (0.0, 10_240.0, False), (1e6, 2e6, False)],
)
def test_a_portal_is_held_against_the_standard(low: float, high: float, fits: bool, name: str) -> None:
    """30 to 40 KB fit within 20 to 40 and 30 to 900; at most 10, as before 2017, or a megabyte and more do not."""
    profile = profiles.load(name)
    portal = dataclasses.replace(profile.rule("G6"), id="G6-portal", low=low, high=high)
    assert solver.feasible([*_said(profile.rule("G6")), *_said(portal)]) == fits
    assert _together([*profile.rules, portal], profile.output) == fits


def test_every_profile_that_there_is_was_looked_at() -> None:
    """A new file in the folder is a new profile, and none is left out of the tests above."""
    files = {path.stem for path in (Path(profiles.__file__).parent / "profiles").iterdir()}
    assert files == set(profiles.names())
    assert {"chsi-2017-99", "chsi-2017-99-30-40kb", "chsi-2017-99-shandong", "zikao-xinjiang"} <= files


@pytest.mark.parametrize("name", profiles.names())
def test_refusal_lies_beyond_review(name: str) -> None:
    """The limits that refuse at once lie outside those that ask a person."""
    for rule in profiles.load(name).rules:
        own, gross = _interval(rule.low, rule.high), _interval(rule.reject_low, rule.reject_high)
        assert gross.low <= own.low <= own.high <= gross.high, rule.id


@pytest.mark.parametrize("name", profiles.names())
def test_a_photo_that_keeps_every_rule_exists(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Composed for the profile before its own backdrop, a drawn portrait is accepted with no rule failed."""
    profile = profiles.load(name)
    colour = profile.backdrop
    monkeypatch.setattr(portraits, "BACKDROP", (colour.blue, colour.green, colour.red))
    finished = composition.compose(portraits.draw(7), profile)
    context = inspection.Context("7.jpg", date(2026, 5, 1), date(2026, 6, 30))
    report = inspection.inspect(finished, profile, context=context)
    assert (report.stage, report.verdict) == ("finished", "accept")
    assert [finding.rule_id for finding in report.findings if finding.passed is False] == []
    asked = {rule.id for rule in profile.rules if "finished" in rule.stages}
    assert {finding.rule_id for finding in report.findings} == asked


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
