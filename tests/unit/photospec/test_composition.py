"""The finished file keeps every rule about files and geometry, and nothing but crop and scale made it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from photospec import composition, decoding, inspection, jpeg, profiles
from services.capture.store import images
from station import inspection as station
from station.cameras import portraits
from station.cameras.portraits import Flaw


@pytest.mark.parametrize("seed", range(8))
def test_a_finished_photo_keeps_every_rule(seed: int, blue: profiles.Profile) -> None:
    """Inspected again as a finished photo, it is accepted with no rule failed, not even a warning."""
    finished = composition.compose(portraits.draw(seed), blue)
    report = inspection.inspect(finished, blue)
    assert (report.stage, report.verdict) == ("finished", "accept")
    assert [finding.rule_id for finding in report.findings if finding.passed is False] == []
    assert {"G1", "G1h", "G2", "G3", "G5", "G6"} <= {finding.rule_id for finding in report.findings}


def test_the_file_meets_standard_and_portals_at_once(portrait: bytes, blue: profiles.Profile) -> None:
    """480 × 640, 300 dpi stated, between 30 and 40 KB however a KB is counted."""
    finished = composition.compose(portrait, blue)
    header = jpeg.read(finished)
    assert (header.width_px, header.height_px, header.components, header.densities_dpi) == (480, 640, 3, (300, 300))
    assert 30 * 1024 <= len(finished) <= 40_000
    assert finished[6:11] == b"JFIF\x00"


def test_the_same_capture_gives_the_same_bytes(
    portrait: bytes, blue: profiles.Profile, portrait_report: inspection.Report
) -> None:
    """Composing twice, with or without the report at hand, gives one file: its hash can be its name."""
    assert composition.compose(portrait, blue) == composition.compose(portrait, blue, portrait_report)


def test_composition_only_crops_and_scales(
    portrait: bytes, blue: profiles.Profile, portrait_report: inspection.Report
) -> None:
    """The finished photo is the report's crop, scaled; neither mirrored nor turned nor recoloured."""
    crop = portrait_report.crop
    assert crop is not None
    whole = cv2.imdecode(np.frombuffer(portrait, np.uint8), cv2.IMREAD_COLOR)
    finished = cv2.imdecode(np.frombuffer(composition.compose(portrait, blue), np.uint8), cv2.IMREAD_COLOR)
    assert whole is not None
    assert finished is not None
    part = whole[round(crop.y) : round(crop.y + crop.height), round(crop.x) : round(crop.x + crop.width)]
    expected = cv2.resize(part, (480, 640), interpolation=cv2.INTER_AREA)
    assert float(np.abs(expected.astype(float) - finished.astype(float)).mean()) < 2.0


@pytest.mark.parametrize(("flaw", "rule_id"), [(Flaw.NO_FACE, "F1"), (Flaw.OFF_CENTRE, "P4")])
def test_what_can_not_be_cut_is_refused_with_its_rule(flaw: Flaw, rule_id: str, blue: profiles.Profile) -> None:
    """No face, or one so far aside that the crop would leave the picture: a retake, not a photo."""
    with pytest.raises(composition.NotComposable) as refused:
        composition.compose(portraits.draw(11, flaw=flaw), blue)
    assert refused.value.rule_id == rule_id
    assert refused.value.reason_zh
    assert refused.value.reason_en


def test_what_a_person_must_judge_is_composed_for_them(portrait: bytes, blue: profiles.Profile) -> None:
    """A head a little aside is under review, and the reviewer gets the photo as it would be."""
    crop = inspection.inspect(portrait, blue).crop
    assert crop is not None
    pixels = cv2.imdecode(np.frombuffer(portrait, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    aside = cv2.imencode(".jpg", pixels[:, round(crop.x + 25 / crop.scale) :])[1].tobytes()
    report = inspection.inspect(aside, blue)
    assert (report.verdict, report.reasons) == ("review", ("P4",))
    assert jpeg.read(composition.compose(aside, blue, report)).width_px == 480


def test_garbage_is_not_composed(blue: profiles.Profile) -> None:
    """Composition refuses what inspection refuses, in the same words."""
    with pytest.raises(decoding.UnreadableImage):
        composition.compose(b"not a picture", blue)


@pytest.mark.parametrize("level", [0, 40, 255])
def test_the_greatest_quality_within_the_size_is_taken(level: int, blue: profiles.Profile) -> None:
    """Whether the photo is plain or all noise, its quality stays at 60 or more and a plain one is never padded."""
    noise = np.random.default_rng(1).integers(0, level + 1, (640, 480, 3)).astype(np.uint8)
    header = jpeg.read(composition.encode(noise, blue.output))
    assert header.quality is not None
    assert header.quality >= 60


def test_real_faces_are_composed_within_the_rules(neutral_faces: list[Path], white: profiles.Profile) -> None:
    """Every real face whose capture can be cut gives a photo that keeps P1 to P4 when it is measured again."""
    broken = {}
    for path in neutral_faces:
        report = inspection.inspect(path.read_bytes(), white)
        if {"P1", "P2", "P3", "P4"} & set(report.reasons):
            continue
        again = inspection.inspect(composition.compose(path.read_bytes(), white, report), white)
        failed = {"G1", "G1h", "G2", "G3", "G5", "G6", "P1", "P2", "P3", "P4"} & {
            finding.rule_id for finding in again.findings if finding.passed is False
        }
        if failed:
            broken[path.stem] = failed
    assert broken == {}


def _noisy(portrait: bytes) -> bytes:
    """More grain than any quality of 60 brings under 40 KB."""
    pixels = decoding.decode(portrait, decoding.check(portrait), 2).pixels
    grain = np.random.default_rng(3).normal(0, 45, pixels.shape)
    return cv2.imencode(".jpg", np.clip(pixels + grain, 0, 255).astype(np.uint8))[1].tobytes()


def test_a_file_that_can_not_be_brought_to_its_size_is_told(portrait: bytes, blue: profiles.Profile) -> None:
    """Where size only warns, the result names the rule; an ordinary photo names none."""
    noisy = composition.finish(_noisy(portrait), blue)
    assert len(noisy.jpeg) > 40_960
    assert noisy.broken == ("G6",)
    assert composition.finish(portrait, blue).broken == ()


def test_a_file_that_its_portal_would_refuse_is_not_made(portrait: bytes) -> None:
    """Where the profile refuses by size, so does composition, and the server with it."""
    name = "chsi-2017-99-30-40kb"
    with pytest.raises(composition.NotComposable) as refused:
        composition.compose(_noisy(portrait), profiles.load(name))
    assert refused.value.rule_id == "G6"
    said = images._inspect(_noisy(portrait), name, compose_refused=False)
    assert (said.verdict, said.photo, said.rules[-1]) == ("reject", None, "G6")


def test_a_report_of_another_picture_or_profile_is_not_taken(
    portrait: bytes, blue: profiles.Profile, white: profiles.Profile, portrait_report: inspection.Report
) -> None:
    """The crop of one student's head is not cut from another's picture."""
    with pytest.raises(ValueError, match="another picture"):
        composition.compose(portraits.draw(8, width_px=1200, height_px=1800), blue, portrait_report)
    with pytest.raises(ValueError, match="another profile"):
        composition.compose(portrait, white, portrait_report)


def test_desk_and_server_judge_a_capture_of_a_finished_photos_size_alike(portrait: bytes) -> None:
    """Too few pixels are too few for both, though 480 × 640 is what a finished photo has."""
    pixels = decoding.decode(portrait, decoding.check(portrait), 1).pixels
    small = cv2.imencode(".jpg", cv2.resize(pixels[:2133], (480, 640), interpolation=cv2.INTER_AREA))[1].tobytes()
    desk, server = (
        station._inspect(small, profiles.DEFAULT),
        images._inspect(small, profiles.DEFAULT, compose_refused=False),
    )
    assert desk.verdict == server.verdict
    assert tuple(finding.rule for finding in desk.findings) == server.rules
    assert "P5" in server.rules
