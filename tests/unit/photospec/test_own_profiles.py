"""A profile of one's own is a file; a mistake in it is told, and never takes a rule away in silence."""

from datetime import date
from pathlib import Path

import pytest

from photospec import inspection, profile_checks, profiles

_HEAD = 'extends = "chsi-2017-99"\nversion = "1"\n'


def _load(folder: Path, text: str) -> profiles.Profile:
    path = folder / "our-school.toml"
    path.write_text(_HEAD + text, encoding="utf-8")
    return profiles.load_file(path)


def test_a_campaign_widens_a_rule_in_a_file_of_its_own(tmp_path: Path, portrait: bytes) -> None:
    """Named after its file, with all rules of what it extends."""
    own = _load(tmp_path, 'title_en = "Ours"\n[rules.H1-roll]\nhigh = 5\n')
    assert (own.name, own.version, own.rule("H1-roll").high) == ("our-school", "1", 5)
    assert len(own.rules) == len(profiles.load().rules)
    assert inspection.inspect(portrait, own).profile == "our-school"
    assert profiles.find(str(tmp_path / "our-school.toml")) == own


MISTAKES = {
    '[rules.P3]\nseverity = "rejct"': r"our-school.toml: \[rules.P3\] severity = 'rejct'.*reject, review",
    '[rules.P3]\nmeasure = "no_such_measure"': r"\[rules.P3\].*face_width_px",
    '[rules.X4]\nmeasure = "no_such_measure"': r"\[rules.X4\] measure = 'no_such_measure'.*sharpness",
    '[rules.P3]\nstages = "finished"': r"\[rules.P3\] stages = 'finished'.*list of capture, finished",
    '[rules.P3]\nstages = ["captur"]': r"\[rules.P3\] stages = \['captur'\]",
    "[rules.P3]\nstages = []": r"stages = \[\]",
    '[rules.P3]\nlow = "180"': r"low = '180'.*number",
    "[rules.P3]\nlow = true": "low = True",
    "[rules.P3]\nlow = nan": "low = nan",
    "[rules.P3]\nlow = 400": "low first",
    "[rules.P4]\nreject_high = 3": "reject_high = 3",
    "[rules.P3]\nsevrity = 'warn'": "sevrity.*known are",
    '[rules.P3]\nreason_zh = ""': "reason_zh",
    '[rules.Z9]\nmeasure = "glare"\nseverity = "warn"\nreason_zh = "a"\nreason_en = "b"': r"\[rules.Z9\] low, high",
    '[rules.Z9]\nmeasure = "glare"\nhigh = 1': r"\[rules.Z9\] severity 缺少 missing",
    'without = ["P9"]': "without = 'P9'.*P1",
    'without = "P4"': "without = 'P4'.*list",
    'without = ["P1"]': r"\[rules.P1\].*composition aims",
    'backdrop = "green"': "backdrop = 'green'.*blue",
    "[output]\nmost_bytes = -1": "output",
    'output = "small"': "output = 'small'.*table",
    'limits = "none"': "limits.*known are",
    "[rules.P3": "TOML",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_remedy(text: str, tmp_path: Path) -> None:
    """File, rule, value, and what it must be."""
    with pytest.raises(profiles.ProfileBroken, match=MISTAKES[text]) as told:
        _load(tmp_path, text)
    assert str(told.value).startswith("our-school.toml: ")


def test_what_a_profile_extends_must_exist(tmp_path: Path) -> None:
    """And a whole profile must be whole."""
    path = tmp_path / "ours.toml"
    for text in ('extends = "chsi"', ""):
        path.write_text(text)
        with pytest.raises(profiles.ProfileBroken, match=r"ours\.toml"):
            profiles.load_file(path)


def test_every_measure_that_is_known_is_measured(
    portrait: bytes, blue: profiles.Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule by a name that nothing yields would vanish from every report."""
    seen: set[str] = set()

    def note(_rule: profiles.Rule, values: dict[str, float | None]) -> inspection.Finding:
        seen.update(values)
        return told

    told = inspection.inspect(portrait, blue).findings[0]
    monkeypatch.setattr(inspection, "_judge", note)
    context = inspection.Context("7.jpg", None, date(2027, 6, 30))
    stages: tuple[profiles.Stage, ...] = ("capture", "finished")
    for stage in stages:
        inspection.inspect(portrait, blue, stage=stage, context=context)
    assert seen == profile_checks.MEASURES
