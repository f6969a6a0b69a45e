"""Inspection of drawn portraits: the sound ones pass, each flaw is caught by its own rule."""

import concurrent.futures
import json
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from photospec import composition, inspection, profiles
from station.cameras import portraits
from station.cameras.portraits import Flaw
from tests.unit.photospec import nasty

CAUGHT = {
    Flaw.BLURRED: ("reject", "X4"),
    Flaw.OFF_CENTRE: ("reject", "P4"),
    Flaw.EYES_SHUT: ("reject", "H1-eyes"),
    Flaw.BLUE_CLOTHES: ("review", "C2"),
    Flaw.TWO_FACES: ("reject", "F2"),
    Flaw.NO_FACE: ("reject", "F1"),
}


@pytest.mark.parametrize("seed", range(30))
def test_a_portrait_without_flaw_is_accepted(seed: int, blue: profiles.Profile) -> None:
    """A sound portrait needs no person's eye."""
    report = inspection.inspect(portraits.draw(seed), blue)
    assert (report.verdict, report.reasons) == ("accept", ())


@pytest.mark.parametrize("seed", [11, 12, 13])
@pytest.mark.parametrize(("flaw", "verdict", "rule_id"), [(flaw, *expected) for flaw, expected in CAUGHT.items()])
def test_a_flaw_is_caught_by_its_own_rule(
    flaw: Flaw, verdict: str, rule_id: str, seed: int, blue: profiles.Profile
) -> None:
    """The operator is told the reason that fits, not merely that something is wrong."""
    report = inspection.inspect(portraits.draw(seed, flaw=flaw), blue)
    assert report.verdict == verdict
    assert rule_id in report.reasons


def test_every_flaw_is_tried() -> None:
    """The flaws tested above are all that there are, so that a new one can't go untested."""
    assert set(CAUGHT) == set(Flaw)


def test_a_24_megapixel_landscape_picture_is_accepted(blue: profiles.Profile) -> None:
    """The greatest camera of a crew is judged like the smaller ones, from a reduced decoding."""
    report = inspection.inspect(portraits.draw(3, width_px=6000, height_px=4000), blue)
    assert (report.width_px, report.height_px, report.verdict) == (6000, 4000, "accept")


def test_findings_speak_to_operator_and_student(blue: profiles.Profile) -> None:
    """A failed rule carries measured value, limit, reason and what to say, in both languages."""
    report = inspection.inspect(portraits.draw(11, flaw=Flaw.EYES_SHUT), blue)
    finding = next(finding for finding in report.findings if finding.rule_id == "H1-eyes")
    assert finding.measured is not None
    assert finding.measured > 0.5
    assert finding.confidence is not None
    assert finding.confidence > 0.99
    assert finding.limit == "≤ 0.35 0–1"
    assert "眼睛" in finding.reason_zh
    assert "eyes" in finding.reason_en
    assert finding.advice_zh
    assert finding.advice_en


def test_rules_for_a_person_are_listed_and_never_decide(portrait_report: inspection.Report) -> None:
    """What no model can judge is named for the proofreader and does not touch the verdict."""
    assert {"H1-pitch", "H1-ears", "H2-tint", "H3-jewellery", "X2"} <= set(portrait_report.for_a_person)
    for finding in portrait_report.findings:
        assert (finding.judged_by == "person") == finding.reason_zh.startswith(("人工判断", "现场检查")), (
            finding.rule_id
        )
        assert (finding.confidence is None) == (finding.measured is None), finding.rule_id
    assert portrait_report.verdict == "accept"


def test_a_report_is_plain_json_without_pixels(portrait_report: inspection.Report) -> None:
    """A report can be sent and stored; the picture and the face's points are not in it."""
    text = json.dumps(portrait_report.as_dict(), ensure_ascii=False)
    assert len(text) < 30_000
    assert json.loads(text)["verdict"] == "accept"


def test_threads_share_nothing(portrait: bytes, blue: profiles.Profile) -> None:
    """Inspection from several worker threads at once gives what one thread gives."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: inspection.inspect(portrait, blue), range(8)))
    assert len({json.dumps(report.as_dict()["findings"]) for report in reports}) == 1


def test_the_same_seed_draws_the_same_bytes_and_another_seed_others() -> None:
    """A portrait is its seed's alone."""
    assert portraits.draw(5) == portraits.draw(5)
    assert len({portraits.draw(seed) for seed in range(6)}) == 6


def _changed(jpeg: bytes, matrix: cv2.typing.MatLike) -> bytes:
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    size = (pixels.shape[1], pixels.shape[0])
    return cv2.imencode(".jpg", cv2.warpAffine(pixels, matrix, size, borderMode=cv2.BORDER_REPLICATE))[1].tobytes()


@pytest.mark.parametrize("degrees", [-6, 6])
def test_a_tilted_head_is_seen(portrait: bytes, blue: profiles.Profile, degrees: float) -> None:
    """A tilt can't be put right afterwards, so it must be seen at the desk."""
    tilted = _changed(portrait, cv2.getRotationMatrix2D((800, 900), degrees, 1.0))
    report = inspection.inspect(tilted, blue)
    rolled = next(finding for finding in report.findings if finding.rule_id == "H1-roll")
    assert rolled.severity == "review"
    assert rolled.measured == pytest.approx(6, abs=1)


@pytest.mark.parametrize(("gain", "rule_id"), [(0.6, "E1"), (1.25, "B1")])
def test_a_wrong_exposure_is_seen(portrait: bytes, blue: profiles.Profile, gain: float, rule_id: str) -> None:
    """Too dark or too bright a picture goes to a person."""
    pixels = cv2.imdecode(np.frombuffer(portrait, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    changed = cv2.imencode(".jpg", cv2.convertScaleAbs(pixels, alpha=gain))[1].tobytes()
    assert rule_id in inspection.inspect(changed, blue).reasons


def test_another_backdrop_is_seen(portrait: bytes, white: profiles.Profile) -> None:
    """A blue backdrop is wrong where the profile wants white."""
    assert "B1" in inspection.inspect(portrait, white).reasons


def test_real_neutral_faces_keep_the_posture_rules(neutral_faces: list[Path], white: profiles.Profile) -> None:
    """On real people with open eyes and closed lips, no rule about face, eyes, lips, turn or sharpness fails."""
    told = {"F1", "F2", "H1-eyes", "H1-lids", "H1-lips", "H1-yaw", "X4", "E2", "E3"}
    failed = {path.stem: told & set(inspection.inspect(path.read_bytes(), white).reasons) for path in neutral_faces}
    assert {stem: rules for stem, rules in failed.items() if rules} == {}


def test_real_smiles_with_teeth_are_seen(smiling_faces: list[Path], white: profiles.Profile) -> None:
    """Teeth that show send the photo to a person."""
    missed = [
        path.stem for path in smiling_faces if "H1-lips" not in inspection.inspect(path.read_bytes(), white).reasons
    ]
    assert missed == []


def test_real_faces_out_of_focus_are_seen(neutral_faces: list[Path], white: profiles.Profile) -> None:
    """A blur of two pixels of the finished photo fails the sharpness rule."""
    missed = []
    for path in neutral_faces[:6]:
        pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        assert pixels is not None
        blurred = cv2.imencode(".jpg", cv2.GaussianBlur(pixels, (0, 0), 4))[1].tobytes()
        if "X4" not in inspection.inspect(blurred, white).reasons:
            missed.append(path.stem)
    assert missed == []


@pytest.fixture(scope="module")
def finished(portrait: bytes, blue: profiles.Profile) -> bytes:
    """A finished photo without a flaw."""
    return composition.compose(portrait, blue)


Pixels = NDArray[np.uint8]


def _framed(photo: Pixels) -> Pixels:
    cv2.rectangle(photo, (0, 0), (479, 639), (255, 255, 255), 24)
    return photo


def _red_eyed(photo: Pixels, report: inspection.Report) -> Pixels:
    assert report.face is not None
    for x, y in (report.face.left_eye, report.face.right_eye):
        cv2.circle(photo, (round(x), round(y)), 8, (40, 30, 220), cv2.FILLED, cv2.LINE_AA)
    return photo


def _black_and_white(photo: Pixels) -> Pixels:
    return np.repeat(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2).astype(np.uint8)


def _crowded(photo: Pixels) -> Pixels:
    cv2.rectangle(photo, (0, 0), (60, 300), (30, 60, 30), cv2.FILLED)
    return photo


@pytest.mark.parametrize("rule_id", ["X3-frame", "E4", "G3-mono", "B3"])
def test_what_was_done_to_a_finished_photo_is_seen(rule_id: str, finished: bytes, blue: profiles.Profile) -> None:
    """A frame, red pupils, colour taken out, an object before the backdrop: each by its own rule."""
    photo = cv2.imdecode(np.frombuffer(finished, np.uint8), cv2.IMREAD_COLOR)
    assert photo is not None
    whole = photo.astype(np.uint8)
    before = inspection.inspect(finished, blue)
    assert rule_id in {finding.rule_id for finding in before.findings}
    assert rule_id not in before.reasons
    changed = {
        "X3-frame": lambda: _framed(whole),
        "E4": lambda: _red_eyed(whole, before),
        "G3-mono": lambda: _black_and_white(whole),
        "B3": lambda: _crowded(whole),
    }[rule_id]()
    data = cv2.imencode(".jpg", changed, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
    assert rule_id in inspection.inspect(data, blue).reasons


@pytest.mark.parametrize(
    ("name", "refused"), [("2020001.jpg", False), ("2020001.JPG", True), ("2020001.jpeg", True), (None, None)]
)
def test_the_suffix_is_judged_where_there_is_a_name(
    name: str | None, refused: bool | None, finished: bytes, blue: profiles.Profile
) -> None:
    """Small letters, as the portals want them; bytes without a name are not asked."""
    report = inspection.inspect(finished, blue, context=inspection.Context(file_name=name))
    found = [finding for finding in report.findings if finding.rule_id == "G4"]
    assert [finding.passed is False for finding in found] == ([] if refused is None else [refused])


@pytest.mark.parametrize(
    ("written", "profile", "passed"),
    [
        (b"2026:05:17 09:30:00", "chsi-2017-99", True),
        (b"2025:05:17 09:30:00", "chsi-2017-99", False),
        (b"2027:05:17 09:30:00", "chsi-2017-99", False),
        (b"2025:11:17 09:30:00", "zikao-xinjiang", False),
        (b"", "chsi-2017-99", None),
    ],
)
def test_a_photo_is_younger_than_its_standard_wants(
    written: bytes, profile: str, passed: bool | None, portrait: bytes
) -> None:
    """Within a year before graduation, or half a year; where nobody knows the day a person must."""
    context = inspection.Context(graduates_on=date(2026, 6, 30))
    report = inspection.inspect(nasty.taken(portrait, written), profiles.load(profile), context=context)
    assert [finding.passed for finding in report.findings if finding.rule_id == "A1"] == [passed]


def test_a_finished_photo_that_says_it_is_turned_is_refused(finished: bytes, blue: profiles.Profile) -> None:
    """Portals show such a file each in its own way."""
    assert "X1-exif" in inspection.inspect(nasty.turned(finished, 3), blue, stage="finished").reasons


def test_the_coarse_look_lets_no_blurred_photo_pass(blue: profiles.Profile) -> None:
    """At 24 megapixels sharpness is judged on few pixels, unless they leave a doubt."""
    sharp = inspection.inspect(portraits.draw(3, width_px=4000, height_px=6000), blue)
    blurred = inspection.inspect(portraits.draw(12, width_px=4000, height_px=6000, flaw=Flaw.BLURRED), blue)
    assert "finer" not in sharp.elapsed_ms
    assert "X4" not in sharp.reasons
    assert "X4" in blurred.reasons


def _beside(portrait: bytes, away: float) -> bytes:
    """The portrait in a wide picture, with the same head at half its size, `away` crop widths from the middle."""
    pixels = cv2.imdecode(np.frombuffer(portrait, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    wide = cv2.copyMakeBorder(pixels, 0, 0, 1200, 1200, cv2.BORDER_CONSTANT, value=(255, 197, 100))
    small = cv2.resize(pixels[300:1500, 350:1250], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    x = round(2000 + away * 1040 - small.shape[1] / 2)
    wide[600 : 600 + small.shape[0], x : x + small.shape[1]] = small
    return cv2.imencode(".jpg", wide)[1].tobytes()


@pytest.mark.parametrize(("away", "verdict", "rule_id"), [(1.1, "accept", "F2-outside"), (0.45, "reject", "F2")])
def test_somebody_outside_the_crop_is_warned_of_and_inside_it_refused(
    away: float, verdict: str, rule_id: str, portrait: bytes, blue: profiles.Profile
) -> None:
    """The finished photo shows the one and not the other."""
    report = inspection.inspect(_beside(portrait, away), blue)
    failed = {finding.rule_id for finding in report.findings if finding.passed is False}
    assert (report.faces, report.verdict) == (2, verdict)
    assert failed & {"F2", "F2-outside"} == {rule_id}


@pytest.mark.parametrize("hold", [bytearray, memoryview])
def test_a_files_content_may_be_held_in_any_way(
    hold: type[bytearray] | type[memoryview],
    portrait: bytes,
    blue: profiles.Profile,
    portrait_report: inspection.Report,
) -> None:
    """The report is the same."""
    assert inspection.inspect(hold(portrait), blue).findings == portrait_report.findings


@pytest.mark.parametrize("wrong", ["7.jpg", Path("7.jpg"), np.zeros((9, 9, 3), np.uint8), None])
def test_what_is_no_content_is_a_callers_mistake(wrong: object, blue: profiles.Profile) -> None:
    """A path or pixels: told in words, not by what breaks first."""
    with pytest.raises(TypeError, match="content of a JPEG file"):
        inspection.inspect(wrong, blue)  # type: ignore[arg-type]


def test_a_stage_that_does_not_exist_is_a_callers_mistake(portrait: bytes, blue: profiles.Profile) -> None:
    """Else a misspelt one would leave out half of the rules."""
    with pytest.raises(ValueError, match="capture"):
        inspection.inspect(portrait, blue, stage="finish")  # type: ignore[arg-type]
