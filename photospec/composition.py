"""The finished photo: cropped, scaled and saved as the profile wants its file. Nothing else is done to the picture."""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Finished:
    """A finished photo. `broken`: rules on its size in bytes that it keeps at no quality, and that forbid nothing."""

    jpeg: bytes
    broken: tuple[str, ...]


def compose(jpeg: decoding.Bytes, profile: profiles.Profile, report: inspection.Report | None = None) -> bytes:
    """Compose the finished JPEG from a capture; `report` is the capture's own, where there is one.

    The same bytes in give the same bytes out. Whether a rejected capture is composed is the caller's choice. Raises:
    NotComposable, decoding.UnreadableImage; ValueError where the report is of another picture or profile.
    """
    return finish(jpeg, profile, report).jpeg


def finish(jpeg: decoding.Bytes, profile: profiles.Profile, report: inspection.Report | None = None) -> Finished:
    """The same, with what the file could not be made to keep."""
    data = decoding.whole(jpeg)
    if report is None:
        report = inspection.inspect(data, profile)
    header = decoding.check(data)
    _same(report, header, profile)
    crop = _crop(report)
    reduction = decoding.reduction_for(crop.width, profile.output.width_px)
    picture = decoding.decode(data, header, reduction)
    finished = encode(measures.cut(picture, crop, profile.target), profile.output)
    return Finished(finished, _of_size(len(finished), profile))


def _same(report: inspection.Report, header: markers.Header, profile: profiles.Profile) -> None:
    """Raises: ValueError."""
    size = decoding.upright_size(header)
    if (report.width_px, report.height_px) != size:
        raise ValueError(f"the report is of another picture: {report.width_px} × {report.height_px} px, not {size}")
    if (report.profile, report.profile_version) != (profile.name, profile.version):
        raise ValueError(
            f"the report is by another profile: {report.profile} {report.profile_version}, "
            f"not {profile.name} {profile.version}"
        )


def _of_size(size: int, profile: profiles.Profile) -> tuple[str, ...]:
    """Rules on the bytes of a file that one of `size` breaks. Raises: NotComposable where one of them refuses."""
    broken = [rule for rule in profile.rules if rule.measure == "bytes" and not rule.keeps(size)]
    for rule in broken:
        if rule.severity == "reject":
            raise NotComposable(rule.id, f"{rule.reason_zh}（{size} 字节）", f"{rule.reason_en} ({size} bytes)")
    return tuple(rule.id for rule in broken)


def encode(photo: decoding.Pixels, output: profiles.Output) -> bytes:
    """Save with the best quality that keeps the file within `output`'s bytes, and with its density stated.

    Where even the least quality gives more, or the best less, the result is what comes nearest.
    """
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
