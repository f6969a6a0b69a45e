"""One file judged: a row of the report, whatever the bytes were."""

import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2

from cli.photo import files
from photospec import composition, decoding, inspection, overlay, profiles, refusals

#: What is made of a picture beside its report.
Make = Literal["nothing", "thumbnail", "finished", "overlay"]
#: Of the report page's pictures, in pixels at most: some 4 KB each.
_THUMBNAIL_WIDTH, _THUMBNAIL_HEIGHT, _THUMBNAIL_QUALITY = 120, 160, 60
_OVERLAY_QUALITY = 88


@dataclass(frozen=True)
class Job:
    """What to judge, by which profile (a name or a file), and what to make of it.

    A rejected picture is only composed where `refused` is true.
    """

    path: Path
    profile: str
    context: inspection.Context
    stage: profiles.Stage | None = None
    make: Make = "nothing"
    refused: bool = False


@dataclass(frozen=True)
class Row:
    """What came of one file: a report, or the refusal to judge it; and the JPEG that was asked for.

    `note`: in both languages, why nothing was made, or what of it keeps a rule no more.
    """

    path: Path
    report: inspection.Report | None
    refusal: refusals.Refusal | None
    made: bytes = b""
    note: str = ""

    @property
    def verdict(self) -> inspection.Verdict:
        return self.report.verdict if self.report else "reject"

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that stand in the way, the worst first."""
        if self.report is None:
            return (self.refusal.rule_id,) if self.refusal else ()
        failed = [finding for finding in self.report.findings if finding.severity in ("reject", "review")]
        return tuple(finding.rule_id for finding in sorted(failed, key=lambda finding: finding.severity != "reject"))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "file": str(self.path),
            "verdict": self.verdict,
            "rules": list(self.rules),
            "refusal": dataclasses.asdict(self.refusal) if self.refusal else None,
            "report": self.report.as_dict() if self.report else None,
        }


def judge(job: Job) -> Row:
    """Judge one file; no bytes make it raise."""
    profile = standard(job.profile)
    try:
        data = files.read(job.path)
        context = dataclasses.replace(job.context, file_name=job.path.name)
        examined = inspection.examine(data, profile, stage=job.stage, context=context)
        made, note = _make(job, data, examined, profile)
    except decoding.UnreadableImage as error:
        return Row(job.path, None, error.refusal)
    except (MemoryError, cv2.error):
        return gave_up(job)
    return Row(job.path, examined.report, None, made, note)


@functools.cache
def standard(name_or_path: str) -> profiles.Profile:
    """The same for all files of a run. Raises: ProfileUnknown, ProfileBroken, OSError."""
    return profiles.find(name_or_path)


def _make(job: Job, data: bytes, examined: inspection.Examined, profile: profiles.Profile) -> tuple[bytes, str]:
    if job.make == "thumbnail":
        return _thumbnail(examined, profile), ""
    if job.make == "overlay":
        pixels = overlay.draw(examined.picture, examined.report, profile)
        return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _OVERLAY_QUALITY])[1].tobytes(), ""
    return _finished(job, data, examined.report, profile) if job.make == "finished" else (b"", "")


def _finished(job: Job, data: bytes, report: inspection.Report, profile: profiles.Profile) -> tuple[bytes, str]:
    if report.verdict == "reject" and not job.refused:
        return (
            b"",
            "不合格，未裁切（--refused 仍裁切） · rejected and not composed (--refused composes it all the same)",
        )
    try:
        finished = composition.finish(data, profile, report)
    except composition.NotComposable as error:
        return b"", str(error)
    if not finished.broken:
        return finished.jpeg, ""
    size = f"{len(finished.jpeg)} 字节 bytes"
    return (
        finished.jpeg,
        f"{', '.join(finished.broken)}: 文件大小不合规定 · its size keeps the rule at no quality: {size}",
    )


def gave_up(job: Job) -> Row:
    """The row of a file on which time or memory ran out."""
    return Row(job.path, None, refusals.ALL["gave_up"])


def _thumbnail(examined: inspection.Examined, profile: profiles.Profile) -> bytes:
    drawn = overlay.crop(examined.picture, examined.report, profile)
    if not drawn.size:
        return b""
    scale = min(_THUMBNAIL_WIDTH / drawn.shape[1], _THUMBNAIL_HEIGHT / drawn.shape[0])
    size = (max(1, round(drawn.shape[1] * scale)), max(1, round(drawn.shape[0] * scale)))
    small = cv2.resize(drawn, size, interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _THUMBNAIL_QUALITY])[1])
