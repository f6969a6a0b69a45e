"""The measurement's own parts: intervals, cut-outs, flaws. Drawn portraits stand in for real ones."""

from pathlib import Path

import pytest

from cli.photo import rates, spoiling, studio, trial
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
