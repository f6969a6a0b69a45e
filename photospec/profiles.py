"""Profiles: one photo standard each, as versioned data.

A profile is a TOML file, in `profiles/` or anywhere else. It may stand on another (`extends`), leave rules out
(`without`) and change single values of a rule by giving its id again: a province's or a portal's differences are all
that its file holds.
"""

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from photospec import backdrop, framing, profile_checks

Severity = profile_checks.Severity
Stage = profile_checks.Stage
ProfileBroken = profile_checks.ProfileBroken

DEFAULT = "chsi-2017-99"
#: Composition stays this far inside P1, P2 and P3, so that the finished photo, measured again, keeps them too.
_INSET_PX = 4.0
_Table = dict[str, Any]
_FOLDER = Path(__file__).parent / "profiles"


class ProfileUnknown(LookupError):
    """There is no photo profile of this name."""


@dataclass(frozen=True)
class Rule:
    """One rule. A measured value outside [`low`, `high`] fails it with `severity`.

    `reject_low` and `reject_high` lie farther out and turn a review into a refusal. Rules `judged_by` a person
    are never measured: they are listed for the proofreader. `unmeasured` is the severity where no value can be had.
    `noise` is one standard deviation of the measurement on the same person taken again; 0 where it is exact.
    """

    id: str
    measure: str
    severity: Severity
    judged_by: Literal["machine", "person"]
    stages: tuple[Stage, ...]
    unit: str
    low: float | None
    high: float | None
    reject_low: float | None
    reject_high: float | None
    unmeasured: Severity
    noise: float
    reason_zh: str
    reason_en: str
    advice_zh: str
    advice_en: str
    source: str

    def keeps(self, value: float) -> bool:
        """Whether a measured value keeps it."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    @property
    def limit(self) -> str:
        """The interval as people write it, with its unit."""
        unit = f" {self.unit}" if self.unit else ""
        if self.low is not None and self.high is not None:
            return f"{self.low:g}{unit}" if self.low == self.high else f"{self.low:g}–{self.high:g}{unit}"
        if self.low is not None:
            return f"≥ {self.low:g}{unit}"
        return "" if self.high is None else f"≤ {self.high:g}{unit}"


@dataclass(frozen=True)
class Output:
    """What the finished file must be. `least_bytes` to `most_bytes` is what composition aims for."""

    width_px: int
    height_px: int
    density_dpi: int
    least_quality: int
    least_bytes: int
    most_bytes: int


@dataclass(frozen=True)
class Profile:
    """One photo standard: its rules, the file it wants and the backdrop before which it is shot."""

    name: str
    version: str
    title_zh: str
    title_en: str
    output: Output
    backdrop: backdrop.Colour
    rules: tuple[Rule, ...]

    def rule(self, rule_id: str) -> Rule:
        """Raises: KeyError."""
        return {rule.id: rule for rule in self.rules}[rule_id]

    @property
    def target(self) -> framing.Target:
        """The geometry that composition aims for, from the rules P1, P2 and P3."""
        return framing.Target(
            self.output.width_px,
            self.output.height_px,
            self._interval("P1"),
            self._interval("P2"),
            self._interval("P3"),
        )

    def _interval(self, rule_id: str) -> framing.Interval:
        rule = self.rule(rule_id)
        high = float("inf") if rule.high is None else rule.high
        return framing.Interval((rule.low or 0.0) + _INSET_PX, high - _INSET_PX)


def names() -> list[str]:
    """The profiles that come with the library."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


@functools.cache
def load(name: str = DEFAULT) -> Profile:
    """Load one of `names()`. Raises: ProfileUnknown, ProfileBroken."""
    if name not in names():
        raise ProfileUnknown(
            f"没有名为 {name} 的照片标准 · there is no photo profile {name}; there are: {', '.join(names())}; "
            "自己的标准请给出 .toml 文件路径 · for one of your own give the path of its .toml file"
        )
    return load_file(_FOLDER / f"{name}.toml")


def load_file(path: Path) -> Profile:
    """Load a profile of one's own, named after its file; it may extend one of `names()`.

    Raises: ProfileBroken, naming file, rule, value and remedy; OSError.
    """
    return _profile(path, _document(path))


def find(name_or_path: str) -> Profile:
    """By name, or by path where it ends in .toml. Raises: ProfileUnknown, ProfileBroken, OSError."""
    return load_file(Path(name_or_path)) if name_or_path.endswith(".toml") else load(name_or_path)


def _document(path: Path) -> _Table:
    try:
        own = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # no TOML, or no UTF-8
        raise ProfileBroken(f"{path.name}: 不是 TOML 文件 · it is no TOML file in UTF-8: {error}") from error
    profile_checks.shape(path.name, own)
    if "extends" not in own:
        return own
    if own["extends"] not in names():
        profile_checks.refuse(path.name, "", "extends", own["extends"], f"one of {', '.join(names())}")
    return _merged(path.name, _document(_FOLDER / f"{own['extends']}.toml"), own)


def _merged(file: str, below: _Table, own: _Table) -> _Table:
    rules = {rule_id: {**rule, **own.get("rules", {}).get(rule_id, {})} for rule_id, rule in below["rules"].items()}
    rules |= {rule_id: rule for rule_id, rule in own.get("rules", {}).items() if rule_id not in rules}
    for rule_id in own.get("without", ()):
        if rule_id not in rules:
            profile_checks.refuse(file, rule_id, "without", rule_id, f"one of {', '.join(rules)}")
    kept = {rule_id: rule for rule_id, rule in rules.items() if rule_id not in own.get("without", ())}
    backdrops = {**below["backdrops"], **own.get("backdrops", {})}
    output = {**below["output"], **own.get("output", {})}
    return {**below, **own, "output": output, "backdrops": backdrops, "rules": kept}


def _profile(path: Path, document: _Table) -> Profile:
    profile_checks.whole(path.name, document)
    return Profile(
        name=path.stem,
        version=document["version"],
        title_zh=document["title_zh"],
        title_en=document["title_en"],
        output=Output(**document["output"]),
        backdrop=backdrop.Colour(*document["backdrops"][document["backdrop"]]),
        rules=tuple(_rule(path.name, rule_id, rule) for rule_id, rule in document["rules"].items()),
    )


def _rule(file: str, rule_id: str, values: _Table) -> Rule:
    defaults = {
        "measure": "", "judged_by": "machine", "unit": "", "low": None, "high": None, "reject_low": None,
        "reject_high": None, "unmeasured": "info", "noise": 0.0, "advice_zh": "", "advice_en": "", "source": "",
        "stages": ["capture", "finished"],
    }  # fmt: skip
    known = {**defaults, **values}
    profile_checks.rule(file, rule_id, known)
    return Rule(id=rule_id, **{**known, "stages": tuple(known["stages"])})
