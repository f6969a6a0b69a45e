"""A noisy day through the desk's own rules, beside desks that lack what makes the difference."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli import app
from cli.drift import command, crew, faces, script, tally
from cli.drift.command import Proof
from cli.drift.faces import Signal
from cli.drift.script import Kind
from station.domain import signals


@pytest.fixture(scope="module")
def day() -> tuple[tally.Result, tally.Result]:
    """Ten thousand students at ten desks, no face looked at; and the desk that goes by order alone."""
    return command.play(10_000, 10, 1, Proof.SLIP, Signal.NONE)


def row(result: tally.Result, kind: Kind) -> tally.Row:
    return next(each for each in result.rows if each.kind == kind)


def test_no_photo_is_silently_on_the_wrong_person(day: tuple[tally.Result, tally.Result]) -> None:
    """Of all noise that a slip at the seat can tell, over 10,000 students; every kind occurs."""
    ours, _ = day
    assert ours.silent_in(command.BY_ORDER) == 0
    assert all(each.events for each in ours.rows)
    assert ours.photos > 9_800


def test_drift_is_flagged_within_two_students(day: tuple[tally.Result, tally.Result]) -> None:
    """Whatever puts somebody out of turn raises an alarm, no later than two students after.

    A few do not: who follows one that was let pass before is in turn already.
    """
    ours, _ = day
    for kind in (Kind.QUEUE_JUMP, Kind.SWAPPED_NEIGHBOURS, Kind.WALK_OFF, Kind.CHAIR_CHANGE, Kind.EARLY_SLIP):
        found = row(ours, kind)
        assert found.flagged > 0.95 * found.events, kind
        assert found.latest is not None, kind
        assert found.latest <= tally.WITHIN, kind


def test_false_alarms_are_rare(day: tuple[tally.Result, tally.Result]) -> None:
    """Of students whom nothing unusual touched, fewer than one in two hundred is asked about; the interval too."""
    ours, _ = day
    assert ours.false_alarms.all > 8_000
    assert ours.false_alarms.interval[1] < command.FALSE_ALARMS


def test_the_order_alone_puts_many_on_the_wrong_person(day: tuple[tally.Result, tally.Result]) -> None:
    """The control: the same day without a look at a slip is wrong in a way that ours would show, too."""
    _, naive = day
    assert naive.wrong > 0.1 * naive.photos
    assert naive.silent.wrong == naive.wrong


def test_what_no_slip_tells_is_counted_and_a_reference_tells_it() -> None:
    """Swapped slips and stand-ins pass in silence without faces; with reference pictures they do not."""
    blind, _ = command.play(3_000, 3, 7, Proof.SLIP, Signal.NONE)
    seeing, _ = command.play(3_000, 3, 7, Proof.SLIP, Signal.REFERENCE)
    for kind in (Kind.SWAPPED_SLIPS, Kind.STAND_IN):
        assert row(blind, kind).silent.wrong == row(blind, kind).events > 0
        assert row(seeing, kind).wrong == 0
    assert command.kept(seeing, Proof.SLIP, Signal.REFERENCE)


def test_the_own_code_at_the_seat_tells_swapped_slips() -> None:
    """Without any face: who shows the own code instead of a slip is who sits."""
    found, _ = command.play(3_000, 3, 7, Proof.CODE, Signal.NONE)
    assert row(found, Kind.SWAPPED_SLIPS).events > 0
    assert row(found, Kind.SWAPPED_SLIPS).wrong == 0


def test_a_stand_in_is_told_by_the_session_s_own_faces() -> None:
    """The same face twice in a row needs no reference picture."""
    found, _ = command.play(3_000, 3, 7, Proof.SLIP, Signal.SESSION)
    assert row(found, Kind.STAND_IN).wrong == 0
    assert row(found, Kind.SWAPPED_SLIPS).silent.wrong > 0


def test_a_desk_that_takes_the_operator_s_word_binds_wrongly() -> None:
    """The control: without the number shown, and without the clock, the same noise is silently wrong."""
    found, _ = command.play(3_000, 3, 7, Proof.CALLED, Signal.NONE)
    assert row(found, Kind.NOT_CHECKED_IN).silent.wrong > 0
    assert row(found, Kind.EARLY_SLIP).silent.wrong > 0


def test_each_signal_is_needed() -> None:
    """The control: the slip alone, without a look at the time, lets the last student's face through."""
    timeless = signals.Terms("shown")
    days = [crew.Crew(script.write(1_500, 3), timeless, faces.Faces(3, Signal.NONE)).play()]
    assert row(tally.add_up(days), Kind.EARLY_SLIP).silent.wrong > 0


@given(seed=st.integers(0, 10_000), signal=st.sampled_from(Signal))
@settings(max_examples=12, deadline=None)
def test_any_day_keeps_the_promises(seed: int, signal: Signal) -> None:
    """Other seeds, other days: never a silent wrong photo of a kind that is promised."""
    found = crew.Crew(script.write(300, seed), crew.STRICT, faces.Faces(seed, signal)).play()
    assert tally.add_up([found]).silent_in(command.PROMISED[signal]) == 0


def test_the_same_seed_is_the_same_day() -> None:
    """Whoever doubts a figure can run it again."""
    one, other = (command.play(600, 2, 5, Proof.SLIP, Signal.REFERENCE) for _ in range(2))
    assert one[0].as_dict() == other[0].as_dict()
    assert one[0].as_dict() != command.play(600, 2, 6, Proof.SLIP, Signal.REFERENCE)[0].as_dict()


def test_faces_are_drawn_as_measured() -> None:
    """The stand-in's medians and tails are those of the measurement; strangers reach no genuine pair of one session."""
    drawn = faces.Faces(1, Signal.REFERENCE)
    genuine = sorted(drawn.of_reference(1, 1) for _ in range(2_000))
    strangers = sorted(drawn.of_session(1, 2) for _ in range(20_000))
    assert genuine[1_000] == pytest.approx(0.79, abs=0.02)
    assert genuine[100] == pytest.approx(0.67, abs=0.03)
    assert strangers[-1] < signals.SAME_HOUR
    assert 0 < sum(alike > 0.363 for alike in strangers) < 0.01 * len(strangers)


def test_the_command_says_whether_the_promise_held(tmp_path: Path) -> None:
    """Table, JSON, and an exit code that a script can go by."""
    file = tmp_path / "drift.json"
    arguments = ["drift", "--students", "400", "--desks", "1", "--json", str(file)]
    told = CliRunner().invoke(app.build(["drift"]), arguments)
    assert told.exit_code == 0, told.output
    assert "order-only desk" in told.output
    figures = json.loads(file.read_text("utf-8"))
    assert {each["kind"] for each in figures["ours"]["kinds"]} == set(Kind)
    assert figures["naive"]["wrong"] > 0
