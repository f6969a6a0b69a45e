"""The measurement's own parts: intervals, cut-outs, flaws. Drawn portraits stand in for real ones."""

import re
from datetime import date
from pathlib import Path

import pytest

from cli.photo import chapter, rates, spoiling, studio, trial
from photospec import profiles
from station.cameras import portraits


@pytest.mark.parametrize(
    ("wrong", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (102, 102, 0.9637, 1.0), (0, 0, 0, 1)],
)
def test_wilsons_interval(wrong: int, of: int, low: float, high: float) -> None:
    """The textbook's values."""
    assert rates.Rate(wrong, of).interval == pytest.approx((low, high), abs=1e-4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drawn portraits before their plain backdrop, and an index that tells who they are."""
    folder = tmp_path_factory.mktemp("sitters")
    for seed in (7, 8):
        (folder / f"{seed}.jpg").write_bytes(portraits.draw(seed))
    (folder / "index.csv").write_text(
        "file,identity,note\n7.jpg,a,neutral; drawn female\n8.jpg,b,neutral; drawn male\n"
    )
    return folder


def test_a_sitter_is_cut_out_and_known_by_the_index(folder: Path) -> None:
    """Head and hair stay, the backdrop goes; sex and skin tone are told."""
    sitter = studio.sit(folder / "7.jpg")
    assert sitter is not None
    assert (sitter.identity, sitter.sex, sitter.smiling) == ("a", "female", False)
    assert sitter.tone in ("light", "intermediate", "tan", "dark")
    face = sitter.face
    assert sitter.alpha[int(face.eyes_y), int(face.centre_x)] > 0.99
    assert sitter.alpha[int(face.eyes_y), 5] == 0
    assert sitter.torso[-1, int(face.centre_x)] > 0.99


def test_flaws_are_seen_and_harmless_changes_are_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial of one portrait yields rates: what is wrong is caught, what is harmless raises no alarm."""
    wanted = (
        "blur σ 2.5 px",
        "tilt +5°",
        "backdrop red",
        "second face",
        "exposure × 0.93",
    )
    flaws = tuple(flaw for flaw in spoiling.FLAWS if flaw.name in wanted)
    assert len(flaws) == len(wanted)
    monkeypatch.setattr(spoiling, "FLAWS", flaws)
    trials = trial.run(folder / "7.jpg", folder / "8.jpg", "chsi-2017-99")
    assert rates.false_rejects(trials, "X4") == rates.Rate(0, 1)
    for flaw in flaws:
        rate = rates.false_accepts if flaw.rules else rates.false_alarms
        assert rate(trials, flaw) == rates.Rate(0, 1), flaw.name
    told = rates.tables(trials, profiles.load())
    assert "| tilt +5° 歪头 | H1-roll | 0/1 (0–79 %) |" in told
    assert "1 people (1 female" in told


def test_every_flaw_names_rules_that_exist() -> None:
    """A misspelt rule would count every picture as missed."""
    known = {rule.id for rule in profiles.load().rules}
    assert {rule_id for flaw in spoiling.FLAWS for rule_id in flaw.rules} <= known
    assert len({flaw.name for flaw in spoiling.FLAWS}) == len(spoiling.FLAWS)


PAGE = Path(__file__).parents[3] / "docs" / "photo-standard.md"


def test_the_page_was_measured_with_these_limits() -> None:
    """Whoever changes a limit or a flaw measures anew: ./gradphoto photo measure --faces FOLDER --docs docs/…"""
    assert chapter.stamped(PAGE) == chapter.stamp(profiles.load())


def test_tables_are_written_between_the_marks(tmp_path: Path) -> None:
    """What stands around them stays; a page without marks is refused and left alone."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{chapter.BEGIN}\nold\n{chapter.END}\nafter\n")
    chapter.write(page, "| new |\n", profiles.load(), date(2026, 11, 22))
    told = page.read_text()
    assert told.startswith("before\n")
    assert told.endswith("after\n")
    assert "| new |" in told
    assert "old" not in told
    assert chapter.stamped(page) == chapter.stamp(profiles.load())
    page.write_text("no marks")
    with pytest.raises(ValueError, match="no <!-- measured"):
        chapter.write(page, "", profiles.load(), date(2026, 11, 22))
    assert page.read_text() == "no marks"


def test_no_rule_is_surer_than_its_measurement() -> None:
    """Confidence comes of noise, and noise from the page's own table: the same person taken again."""
    told = dict(
        re.findall(r"^\| (\S+) [^|]*\|[^|]*\|[^|]*\| ([\d.]+) \|[^|]*\|[^|]*\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    )
    rules = {rule.id: rule for rule in profiles.load().rules if rule.judged_by == "machine" and rule.noise}
    assert set(told) == set(rules)
    assert {rule_id for rule_id, rule in rules.items() if rule.noise < 0.95 * float(told[rule_id])} == set()
