"""Profiles: one photo standard each, as versioned data.

A profile is a TOML file in `profiles/`. It may stand on another (`extends`), leave rules out (`without`) and change
single values of a rule by giving its id again: a province's or a portal's differences are all that its file holds.
"""

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from photospec import backdrop, framing

Severity = Literal["reject", "review", "warn", "info"]
Stage = Literal["capture", "finished"]

DEFAULT = "chsi-2017-99"
#: Composition stays this far inside P1, P2 and P3, so that the finished photo, measured again, keeps them too.
_INSET_PX = 4.0
_FOLDER = Path(__file__).parent / "profiles"


class ProfileUnknown(LookupError):
    """There is no photo profile of this name."""


class ProfileBroken(ValueError):
    """A profile's file does not say what it must; the message names file and rule."""


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
    """The profiles that exist."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


@functools.cache
def load(name: str = DEFAULT) -> Profile:
    """Load a profile by name. Raises: ProfileUnknown, ProfileBroken."""
    document = _document(name)
    try:
        return _profile(name, document)
    except (KeyError, TypeError) as error:
        raise ProfileBroken(f"profiles/{name}.toml: missing or unknown {error}") from error


def _document(name: str) -> dict[str, Any]:
    if name not in names():
        raise ProfileUnknown(
            f"没有名为 {name} 的照片标准 · there is no photo profile {name}; there are: {', '.join(names())}"
        )
    own = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    if "extends" not in own:
        return own
    return _merged(_document(own["extends"]), own)


def _merged(below: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    rules = {rule_id: {**rule, **own.get("rules", {}).get(rule_id, {})} for rule_id, rule in below["rules"].items()}
    rules |= {rule_id: rule for rule_id, rule in own.get("rules", {}).items() if rule_id not in rules}
    without = set(own.get("without", ()))
    kept = {rule_id: rule for rule_id, rule in rules.items() if rule_id not in without}
    return {**below, **own, "output": {**below["output"], **own.get("output", {})}, "rules": kept}


def _profile(name: str, document: dict[str, Any]) -> Profile:
    return Profile(
        name=name,
        version=document["version"],
        title_zh=document["title_zh"],
        title_en=document["title_en"],
        output=Output(**document["output"]),
        backdrop=backdrop.Colour(*document["backdrops"][document["backdrop"]]),
        rules=tuple(_rule(name, rule_id, rule) for rule_id, rule in document["rules"].items()),
    )


def _rule(profile: str, rule_id: str, values: dict[str, Any]) -> Rule:
    defaults = {
        "measure": "", "judged_by": "machine", "unit": "", "low": None, "high": None, "reject_low": None,
        "reject_high": None, "unmeasured": "info", "noise": 0.0, "advice_zh": "", "advice_en": "", "source": "",
        "stages": ("capture", "finished"),
    }  # fmt: skip
    known = {**defaults, **values, "id": rule_id}
    if known["judged_by"] == "machine" and not known["measure"]:
        raise ProfileBroken(f"profiles/{profile}.toml: rule {rule_id} names no measure")
    if known["judged_by"] == "machine" and known["low"] is None and known["high"] is None:
        raise ProfileBroken(f"profiles/{profile}.toml: rule {rule_id} has no limit")
    return Rule(**{**known, "stages": tuple(known["stages"])})
