"""One photo against one profile: measure, then judge each rule, and say so in Chinese and English.

A picture of exactly the profile's size is a finished photo and is judged as it lies; any other is a capture, and is
judged as the photo that could be cut from it. `inspect` holds no state and may be called from any thread. How many
cores OpenCV takes for one call (`cv2.setNumThreads`) is the caller's choice; servers that run several at once set 1.
"""

import dataclasses
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, get_args

from photospec import backdrop, decoding, faces, framing, measures, profiles

Verdict = Literal["accept", "review", "reject"]
Context = measures.Context

#: Shorter side of the picture in which faces are looked for. A face that comes out narrower is measured on a finer one.
_WORKING_SIDE_PX, _LEAST_FACE_PX = 500, 100
#: Crown above the eyes where the backdrop does not show it, in distances from eyes to chin (median of 40 portraits).
_CROWN_GUESS = 1.15
#: Hair that ends farther up than this may be high: where by its end no photo keeps P1 and P2, or where it runs out of
#: the picture, the head is guessed and a person looks. Of 16 people two are above (1.34, 1.72), the next at 1.22.
_HIGH_HAIR = 1.25


@dataclass(frozen=True)
class Finding:
    """What one rule came to. A rule that is kept, or that a person must judge, is of severity "info".

    `confidence`: how probable it is that the same person taken again comes to lie on the same side of the limit, 0.5
    to 1; None where nothing was measured.
    """

    rule_id: str
    severity: profiles.Severity
    passed: bool | None
    judged_by: Literal["machine", "person"]
    measured: float | None
    confidence: float | None
    unit: str
    limit: str
    reason_zh: str
    reason_en: str
    advice_zh: str
    advice_en: str


@dataclass(frozen=True)
class FaceGeometry:
    """The greatest face, in pixels of the upright original; angles in degrees. Holds no picture and no template."""

    x: float
    y: float
    width_px: float
    height_px: float
    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    crown_y: float
    crown_seen: bool
    chin_y: float
    face_width_px: float
    centre_x: float
    roll_deg: float
    yaw_deg: float
    score: float


@dataclass(frozen=True)
class Report:
    """What was found. `elapsed_ms` is wall-clock time by stage; `crop` is what composition would cut out."""

    profile: str
    profile_version: str
    stage: profiles.Stage
    width_px: int
    height_px: int
    findings: tuple[Finding, ...]
    verdict: Verdict
    faces: int
    face: FaceGeometry | None
    crop: framing.Crop | None
    elapsed_ms: dict[str, float]

    @property
    def reasons(self) -> tuple[str, ...]:
        """The rules that stand in the way: failed, and of severity reject or review."""
        return tuple(finding.rule_id for finding in self.findings if finding.severity in ("reject", "review"))

    @property
    def for_a_person(self) -> tuple[str, ...]:
        """The rules that no machine judged: it never does, or could not this time."""
        return tuple(finding.rule_id for finding in self.findings if finding.passed is None)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; no pixels."""
        return {
            **vars(self),
            "findings": [dict(vars(finding)) for finding in self.findings],
            "face": None if self.face is None else dict(vars(self.face)),
            "crop": None if self.crop is None else dict(vars(self.crop)),
            "elapsed_ms": dict(self.elapsed_ms),
            "reasons": list(self.reasons),
            "for_a_person": list(self.for_a_person),
        }


@dataclass(frozen=True)
class Examined:
    """A report, and the picture upright as it was decoded for judging: reduced, never finer than was needed."""

    report: Report
    picture: decoding.Picture


def inspect(
    jpeg: decoding.Bytes,
    profile: profiles.Profile,
    *,
    stage: profiles.Stage | None = None,
    context: Context | None = None,
) -> Report:
    """Inspect one JPEG. `stage` None: told from the size.

    Raises: decoding.UnreadableImage; ValueError, TypeError for a caller's mistake.
    """
    return examine(jpeg, profile, stage=stage, context=context).report


def examine(
    jpeg: decoding.Bytes,
    profile: profiles.Profile,
    *,
    stage: profiles.Stage | None = None,
    context: Context | None = None,
) -> Examined:
    """The same, with the picture that was judged, so that it need not be decoded again to be shown."""
    if stage not in (None, *get_args(profiles.Stage)):
        raise ValueError(f"stage is one of {get_args(profiles.Stage)} or None, not {stage!r}")
    return _Inspection(decoding.whole(jpeg), profile, stage, context or Context()).run()


class _Inspection:
    """The steps of one inspection and what they have found so far."""

    def __init__(self, data: bytes, profile: profiles.Profile, stage: profiles.Stage | None, context: Context) -> None:
        self.data, self.profile, self.target, self.context = data, profile, profile.target, context
        self.header = decoding.check(data)
        self.width_px, self.height_px = decoding.upright_size(self.header)
        self.stage: profiles.Stage = stage or _stage(self.width_px, self.height_px, profile)
        self.elapsed_ms: dict[str, float] = {}

    def run(self) -> Examined:
        with self._timed("decode"):
            picture = self._decode(decoding.reduction_for(min(self.width_px, self.height_px), _WORKING_SIDE_PX))
        with self._timed("face"):
            found = faces.find(picture.pixels)
        if found.face is not None and found.face.width_px < _LEAST_FACE_PX and picture.reduction > 1:
            with self._timed("nearer"):
                whole_px = found.face.width_px * picture.reduction
                picture = self._decode(decoding.reduction_for(whole_px, _LEAST_FACE_PX))
                found = faces.find(picture.pixels)
        values: measures.Values = {
            **measures.of_file(self.data, self.header, self.context),
            "faces": found.count,
        }
        if self.stage == "finished":
            values |= measures.of_leftovers(self.data, self.header)
        scene = None
        if found.face is not None:
            scene, measured = self._measure(picture, found.face)
            others = found.others * (picture.width_px / picture.pixels.shape[1])
            values |= {**measured, **measures.of_others(others, scene.crop)}
        findings = tuple(_judge(rule, values) for rule in self.profile.rules if self._applies(rule, values))
        return Examined(self._report(findings, found.count, scene), picture)

    def _measure(self, picture: decoding.Picture, face: faces.Face) -> tuple[measures.Scene, measures.Values]:
        with self._timed("frame"):
            scene = self._scene(picture, face)
        with self._timed("quality"):
            values = measures.of_colours(scene, picture, self.profile)
            values |= self._of_eyes(picture, scene)
            if self.stage == "finished":
                values |= measures.of_edges(picture, scene.crop, self.target)
        of_face = self._if_seen(measures.of_face(face), values["eye_contrast"])
        return scene, {**of_face, **measures.of_frame(scene, self.target), **values}

    def _if_seen(self, values: measures.Values, contrast: float | None) -> measures.Values:
        """What the mesh says of eyes that can't be seen is a guess: it may break a rule, but it keeps none."""
        limits = [rule.low for rule in self.profile.rules if rule.measure == "eye_contrast" and rule.low is not None]
        if contrast is not None and contrast >= max(limits, default=-math.inf):
            return values
        of_eyes = [rule for rule in self.profile.rules if rule.measure in ("blink", "eye_openness")]
        kept = {rule.measure for rule in of_eyes if not _outside(values[rule.measure] or 0.0, rule.low, rule.high)}
        return {name: None if name in kept else value for name, value in values.items()}

    def _of_eyes(self, picture: decoding.Picture, scene: measures.Scene) -> measures.Values:
        """What needs the finished photo's own resolution; decoded again only where a coarse look leaves a doubt."""
        values = measures.of_eyes(scene, picture, self.target)
        wanted = decoding.reduction_for(scene.crop.width, self.target.width_px)
        if wanted >= picture.reduction or not self._doubtful(values["sharpness"]):
            return values
        with self._timed("finer"):
            finer = decoding.decode_grey(self.data, self.header, wanted)
            return {**values, "sharpness": measures.sharpness(scene, finer, self.target)}

    def _doubtful(self, sharpness: float | None) -> bool:
        """Whether pixels not yet decoded could change the verdict on sharpness; a coarse value errs downward."""
        limits = [(rule.reject_low or 0.0, rule.low) for rule in self.profile.rules if rule.measure == "sharpness"]
        return any(low is not None and gross / 2 <= (sharpness or 0.0) < low for gross, low in limits)

    def _scene(self, picture: decoding.Picture, face: faces.Face) -> measures.Scene:
        seen = backdrop.crown(picture.pixels, face)
        scale = picture.width_px / picture.pixels.shape[1]
        whole, tall = _scaled(face, scale), scale * (face.chin_y - face.eyes_y)
        guess = max(0.0, whole.eyes_y - _CROWN_GUESS * tall)
        if seen is None:
            return measures.Scene(picture, whole, guess, False, self._crop(whole, guess))
        top = seen * scale
        scene = measures.Scene(picture, whole, top, True, self._crop(whole, top))
        if whole.eyes_y - top < _HIGH_HAIR * tall or self._kept(scene):
            return scene
        return measures.Scene(picture, whole, guess, False, self._crop(whole, guess, top), top)

    def _kept(self, scene: measures.Scene) -> bool:
        """Whether the end of the hair, taken for the head's, allows a photo by P1 and P2."""
        head = scene.placed()
        return self.target.head_room_px.holds(head.crown_y) and self.target.eyes_px.holds(head.eyes_y)

    def _crop(self, face: faces.Face, crown_y: float, hair_y: float | None = None) -> framing.Crop:
        if self.stage == "finished":
            return framing.whole(self.width_px, self.height_px)
        wide = max(face.width_px, 1.0)
        return framing.plan(
            framing.Subject(self.width_px, self.height_px, crown_y, face.eyes_y, wide, face.centre_x, hair_y),
            self.target,
        )

    def _decode(self, reduction: int) -> decoding.Picture:
        return decoding.decode(self.data, self.header, reduction)

    def _applies(self, rule: profiles.Rule, values: measures.Values) -> bool:
        """Without a face there is nothing to say about one, neither by machine nor by a person."""
        seen = "others" in values if rule.judged_by == "person" else rule.measure in values
        return self.stage in rule.stages and seen

    def _report(self, findings: tuple[Finding, ...], count: int, scene: measures.Scene | None) -> Report:
        return Report(
            profile=self.profile.name,
            profile_version=self.profile.version,
            stage=self.stage,
            width_px=self.width_px,
            height_px=self.height_px,
            findings=findings,
            verdict=_verdict(findings),
            faces=count,
            face=_geometry(scene) if scene else None,
            crop=scene.crop if scene else None,
            elapsed_ms=self.elapsed_ms,
        )

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.elapsed_ms[stage] = round((time.perf_counter() - began) * 1000, 2)


def _stage(width_px: int, height_px: int, profile: profiles.Profile) -> profiles.Stage:
    wanted = (profile.output.width_px, profile.output.height_px)
    return "finished" if (width_px, height_px) == wanted else "capture"


def _judge(rule: profiles.Rule, values: measures.Values) -> Finding:
    if rule.judged_by == "person":
        return _finding(rule, "info", None, None)
    measured = values[rule.measure]
    if measured is None:
        return _finding(rule, rule.unmeasured, None if rule.unmeasured == "info" else False, None)
    if not _outside(measured, rule.low, rule.high):
        return _finding(rule, "info", True, measured)
    gross = _outside(measured, rule.reject_low, rule.reject_high)
    return _finding(rule, "reject" if gross else rule.severity, False, measured)


def _outside(value: float, low: float | None, high: float | None) -> bool:
    return (low is not None and value < low) or (high is not None and value > high)


def _finding(rule: profiles.Rule, severity: profiles.Severity, passed: bool | None, measured: float | None) -> Finding:
    return Finding(
        rule_id=rule.id,
        severity=severity,
        passed=passed,
        judged_by=rule.judged_by,
        confidence=None if measured is None else _confidence(rule, measured),
        measured=None if measured is None else round(float(measured), 3),
        unit=rule.unit,
        limit=rule.limit,
        reason_zh=rule.reason_zh,
        reason_en=rule.reason_en,
        advice_zh=rule.advice_zh,
        advice_en=rule.advice_en,
    )


def _confidence(rule: profiles.Rule, measured: float) -> float:
    """From the distance to the nearer limit, in standard deviations of the measurement."""
    distance = min(abs(measured - limit) for limit in (rule.low, rule.high) if limit is not None)
    if not rule.noise:
        return 1.0
    return round((1 + math.erf(distance / rule.noise / math.sqrt(2))) / 2, 3)


def _verdict(findings: tuple[Finding, ...]) -> Verdict:
    severities = {finding.severity for finding in findings}
    if "reject" in severities:
        return "reject"
    return "review" if "review" in severities else "accept"


def _scaled(face: faces.Face, by: float) -> faces.Face:
    x, y, width, height = (value * by for value in face.box)
    return dataclasses.replace(
        face,
        box=(x, y, width, height),
        points=face.points * by,
        marks=face.marks * by,
        left_eye=(face.left_eye[0] * by, face.left_eye[1] * by),
        right_eye=(face.right_eye[0] * by, face.right_eye[1] * by),
        width_px=face.width_px * by,
        centre_x=face.centre_x * by,
        chin_y=face.chin_y * by,
        forehead_y=face.forehead_y * by,
    )


def _geometry(scene: measures.Scene) -> FaceGeometry:
    face = scene.face
    x, y, width, height = face.box
    return FaceGeometry(
        x=x, y=y, width_px=width, height_px=height, left_eye=face.left_eye, right_eye=face.right_eye,
        crown_y=scene.crown_y, crown_seen=scene.crown_seen, chin_y=face.chin_y, face_width_px=face.width_px,
        centre_x=face.centre_x, roll_deg=face.roll_deg, yaw_deg=face.yaw_deg, score=face.score,
    )  # fmt: skip
