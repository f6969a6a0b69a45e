"""The finished photo: cropped, scaled and saved as the profile wants its file. Nothing else is done to the picture."""

import cv2
import numpy as np

from photospec import decoding, framing, inspection, measures, profiles
from photospec import jpeg as markers

#: A picture that one of these refuses is not composed. One that they send to a person is: the person needs to see it.
_GEOMETRY = ("P1", "P2", "P3", "P4", "P5")
_MAX_QUALITY = 100


class NotComposable(ValueError):
    """No finished photo can be cut from this picture; `rule_id` is the rule that forbids it."""

    def __init__(self, rule_id: str, reason_zh: str, reason_en: str) -> None:
        self.rule_id, self.reason_zh, self.reason_en = rule_id, reason_zh, reason_en
        super().__init__(f"{rule_id}: {reason_zh} · {reason_en}")


def compose(jpeg: bytes, profile: profiles.Profile, report: inspection.Report | None = None) -> bytes:
    """Compose the finished JPEG from a capture; `report` is the capture's own, where there is one.

    The same bytes in give the same bytes out. Raises: NotComposable, decoding.UnreadableImage.
    """
    if report is None:
        report = inspection.inspect(jpeg, profile)
    crop = _crop(report)
    header = decoding.check(jpeg)
    reduction = decoding.reduction_for(crop.width, profile.output.width_px)
    picture = decoding.decode(jpeg, header, reduction)
    return encode(measures.cut(picture, crop, profile.target), profile.output)


def encode(photo: decoding.Pixels, output: profiles.Output) -> bytes:
    """Save with the best quality that keeps the file within `output`'s bytes, and with its density stated."""
    low, high = output.least_quality, _MAX_QUALITY
    best = _saved(photo, low, output)
    while low < high:
        quality = (low + high + 1) // 2
        data = _saved(photo, quality, output)
        if len(data) <= output.most_bytes:
            low, best = quality, data
        else:
            high = quality - 1
    return best if len(best) >= output.least_bytes else _fuller(photo, output, best)


def _fuller(photo: decoding.Pixels, output: profiles.Output, best: bytes) -> bytes:
    """A picture too plain to fill the least size: full colour resolution adds bytes without changing the picture."""
    for quality in range(_MAX_QUALITY, output.least_quality, -4):
        data = _saved(photo, quality, output, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
        if len(data) <= output.most_bytes:
            return data if len(data) > len(best) else best
    return best


def _saved(
    photo: decoding.Pixels, quality: int, output: profiles.Output, sampling: int = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
) -> bytes:
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    done, data = cv2.imencode(".jpg", photo, settings)
    if not done:
        raise decoding.UnreadableImage("undecodable")
    return markers.with_density(np.asarray(data).tobytes(), output.density_dpi)


def _crop(report: inspection.Report) -> framing.Crop:
    missing = next(
        (finding for finding in report.findings if finding.rule_id == "F1" and finding.passed is False), None
    )
    broken = [finding for finding in report.findings if finding.rule_id in _GEOMETRY and finding.passed is False]
    failed = missing or next((finding for finding in broken if finding.severity == "reject"), None)
    if failed is not None:
        raise NotComposable(failed.rule_id, failed.reason_zh, failed.reason_en)
    if report.crop is None:
        raise NotComposable("F1", "照片中没有人脸", "no face in the picture")
    return report.crop
