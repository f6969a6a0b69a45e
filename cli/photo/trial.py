"""One portrait through all that can go wrong: what each rule said of each picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from cli.photo import spoiling, studio
from photospec import decoding, inspection, profiles

SOUND = "sound"
#: The same sound picture taken again: another framing, distance, compression.
AGAIN = ("again 1", "again 2", "again 3")


@dataclass(frozen=True)
class Said:
    """What one rule said: `passed` and `severity` as in a finding, `measured` in the rule's unit."""

    passed: bool | None
    measured: float | None
    severity: profiles.Severity


@dataclass(frozen=True)
class Trial:
    """One picture judged. `picture` is "sound", one of `AGAIN`, or a flaw's name."""

    sitter: str
    identity: str
    smiling: bool
    sex: str
    tone: str
    picture: str
    verdict: inspection.Verdict
    rules: dict[str, Said]


def run(path: Path, other: Path, profile_name: str) -> list[Trial]:
    """All trials of one portrait; empty where it can't be cut out. Smiling ones are not spoilt further."""
    cv2.setNumThreads(1)
    profile = profiles.load(profile_name)
    sitter = studio.sit(path)
    if sitter is None:
        return []
    sound = studio.shutter(sitter, profile.backdrop)
    report = inspection.inspect(studio.saved(sound), profile)
    trials = [_trial(sitter, SOUND, report)]
    if sitter.smiling or report.crop is None:
        return trials
    trials += [_judged(sitter, name, data, profile) for name, data in _again(sound)]
    companion = studio.sit(other) or sitter
    scene = spoiling.Scene(sitter, profile.backdrop, sound, report.crop, companion)
    for flaw in spoiling.FLAWS:
        trials.append(_judged(sitter, flaw.name, studio.saved(flaw.spoil(scene)), profile))
    return trials


def _again(sound: decoding.Pixels) -> Iterator[tuple[str, bytes]]:
    for name, scale, shift, quality in zip(AGAIN, (0.97, 0.94, 0.9), (3, 8, 5), (92, 85, 80), strict=True):
        nearer = cv2.resize(sound[shift:, shift:], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        yield name, studio.saved(nearer.astype(np.uint8, copy=False), quality)


def _judged(sitter: studio.Sitter, name: str, data: bytes, profile: profiles.Profile) -> Trial:
    return _trial(sitter, name, inspection.inspect(data, profile))


def _trial(sitter: studio.Sitter, name: str, report: inspection.Report) -> Trial:
    rules = {finding.rule_id: Said(finding.passed, finding.measured, finding.severity) for finding in report.findings}
    return Trial(sitter.name, sitter.identity, sitter.smiling, sitter.sex, sitter.tone, name, report.verdict, rules)
