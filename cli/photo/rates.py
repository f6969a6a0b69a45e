"""False rejects and false accepts of each rule, with Wilson intervals, by sex and skin tone."""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cli.photo import spoiling, trial
from photospec import profiles

_Z = 1.96
#: What a smile breaks: these rules are judged on neutral faces alone, and the smiles are what they must catch.
_EXPRESSION = {"H1-lips", "H1-eyes", "H1-lids"}


@dataclass(frozen=True)
class Rate:
    """`wrong` of `all`, with the 95 % interval of Wilson."""

    wrong: int
    all: int

    @property
    def interval(self) -> tuple[float, float]:
        if not self.all:
            return 0.0, 1.0
        share, n = self.wrong / self.all, self.all
        middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        if not self.all:
            return "–"
        low, high = self.interval
        return f"{self.wrong}/{self.all} ({100 * low:.0f}–{100 * high:.0f} %)"


Group = Callable[[trial.Trial], bool]


def false_rejects(trials: Iterable[trial.Trial], rule_id: str, *, refused: bool = False) -> Rate:
    """How often a sound picture fails the rule; with `refused`, how often that refuses it at once."""
    said = [one for one in trials if one.picture == trial.SOUND and not (one.smiling and rule_id in _EXPRESSION)]
    judged = [one.rules[rule_id] for one in said if rule_id in one.rules]
    wrong = [one for one in judged if one.passed is False and (not refused or one.severity == "reject")]
    return Rate(len(wrong), len(judged))


def false_accepts(trials: Iterable[trial.Trial], flaw: spoiling.Flaw) -> Rate:
    """How often none of the rules that must see a flaw sees it."""
    spoilt = [one for one in trials if one.picture == flaw.name]
    seen = [any(_failed(one, rule_id) for rule_id in flaw.rules) for one in spoilt]
    return Rate(seen.count(False), len(seen))


def false_alarms(trials: Sequence[trial.Trial], flaw: spoiling.Flaw) -> Rate:
    """How often a harmless change makes a rule fail that the sound picture kept."""
    sound = {one.sitter: one for one in trials if one.picture == trial.SOUND}
    changed = [one for one in trials if one.picture == flaw.name]
    wrong = [any(_failed(one, rule) and not _failed(sound[one.sitter], rule) for rule in one.rules) for one in changed]
    return Rate(sum(wrong), len(wrong))


def unseen_smiles(trials: Iterable[trial.Trial]) -> Rate:
    """Smiles in which the lips' rule sees nothing; some of them are closed-lipped, so this is no pure error."""
    smiles = [one for one in trials if one.picture == trial.SOUND and one.smiling]
    return Rate(sum(not _failed(one, "H1-lips") for one in smiles), len(smiles))


def noise(trials: Sequence[trial.Trial], rule_id: str) -> float | None:
    """Standard deviation of the measurement on one sitter taken again; pooled over the sitters."""
    by_sitter: dict[str, list[float]] = {}
    for one in trials:
        said = one.rules.get(rule_id)
        if one.picture in (trial.SOUND, *trial.AGAIN) and said is not None and said.measured is not None:
            by_sitter.setdefault(one.sitter, []).append(said.measured)
    spreads = [statistics.variance(values) for values in by_sitter.values() if len(values) == len(trial.AGAIN) + 1]
    return math.sqrt(statistics.fmean(spreads)) if spreads else None


def sound_range(trials: Iterable[trial.Trial], rule_id: str) -> tuple[float, float] | None:
    """Smallest and greatest value on sound pictures."""
    values = [
        one.rules[rule_id].measured
        for one in trials
        if one.picture == trial.SOUND and rule_id in one.rules and not (one.smiling and rule_id in _EXPRESSION)
    ]
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else None


def _failed(one: trial.Trial, rule_id: str) -> bool:
    return rule_id in one.rules and one.rules[rule_id].passed is False


def tables(trials: Sequence[trial.Trial], profile: profiles.Profile) -> str:
    """All figures as Markdown."""
    groups = _groups(trials)
    sections = [
        _people(trials),
        _by_rule(trials, profile),
        _by_flaw(trials, groups),
        _by_group(trials, profile, groups),
    ]
    return "\n\n".join(sections) + "\n"


def _groups(trials: Sequence[trial.Trial]) -> dict[str, list[trial.Trial]]:
    found: dict[str, list[trial.Trial]] = {}
    for one in trials:
        found.setdefault(one.sex, []).append(one)
    for tone in ("light", "intermediate", "tan", "dark"):
        found[tone] = [one for one in trials if one.tone == tone]
    return {name: members for name, members in found.items() if members}


def _people(trials: Sequence[trial.Trial]) -> str:
    sound = [one for one in trials if one.picture == trial.SOUND]
    people = {one.identity: one for one in sound}.values()
    counts = {name: sum(name in (one.sex, one.tone) for one in people) for name in _groups(trials)}
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    return (
        f"{len(people)} people ({told}); {len(sound)} sound pictures, "
        f"{sum(one.smiling for one in sound)} of them smiling; {len(trials)} pictures judged."
    )


def _by_rule(trials: Sequence[trial.Trial], profile: profiles.Profile) -> str:
    rows = [
        "| rule | limit | sound pictures from–to | noise | fails: to a person, or refused | of these refused |",
        "| --- " * 6 + "|",
    ]
    for rule in profile.rules:
        extent, spread = sound_range(trials, rule.id), noise(trials, rule.id)
        if rule.judged_by == "person" or extent is None or not rule.noise:
            continue
        told = f"{extent[0]:.3g}–{extent[1]:.3g}"
        rows.append(
            f"| {rule.id} {rule.reason_zh} | {rule.limit} | {told} | {0 if spread is None else spread:.2g} | "
            f"{false_rejects(trials, rule.id)} | {false_rejects(trials, rule.id, refused=True)} |"
        )
    return "\n".join(rows)


def _by_flaw(trials: Sequence[trial.Trial], groups: dict[str, list[trial.Trial]]) -> str:
    names = list(groups)
    rows = [f"| flaw | rule | not seen | {' | '.join(names)} |", "| --- " * (3 + len(names)) + "|"]
    smiles = " | ".join(str(unseen_smiles(groups[name])) for name in names)
    rows.append(f"| smile 微笑（部分不露齿） | H1-lips | {unseen_smiles(trials)} | {smiles} |")
    for flaw in spoiling.FLAWS:
        rate = false_accepts if flaw.rules else false_alarms
        label = ", ".join(flaw.rules) if flaw.rules else "none may: false alarms"
        each = " | ".join(str(rate(groups[name], flaw)) for name in names)
        rows.append(f"| {flaw.name} {flaw.zh} | {label} | {rate(trials, flaw)} | {each} |")
    return "\n".join(rows)


def _by_group(trials: Sequence[trial.Trial], profile: profiles.Profile, groups: dict[str, list[trial.Trial]]) -> str:
    """False rejects by group, of the rules that have any."""
    names = list(groups)
    rows = [f"| false reject | all | {' | '.join(names)} |", "| --- " * (2 + len(names)) + "|"]
    for rule in profile.rules:
        if false_rejects(trials, rule.id).wrong:
            each = " | ".join(str(false_rejects(groups[name], rule.id)) for name in names)
            rows.append(f"| {rule.id} | {false_rejects(trials, rule.id)} | {each} |")
    for verdict, label in (("reject", "verdict reject, neutral"), ("review", "verdict review, neutral")):
        each = " | ".join(str(_verdicts(groups[name], verdict)) for name in names)
        rows.append(f"| {label} | {_verdicts(trials, verdict)} | {each} |")
    return "\n".join(rows)


def _verdicts(trials: Iterable[trial.Trial], verdict: str) -> Rate:
    sound = [one for one in trials if one.picture == trial.SOUND and not one.smiling]
    return Rate(sum(one.verdict == verdict for one in sound), len(sound))
