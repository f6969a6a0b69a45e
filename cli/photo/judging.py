"""One file judged: a row of the report, whatever the bytes were."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from cli.photo import files
from photospec import decoding, inspection, overlay, profiles, refusals

#: Of the report page's pictures, in pixels at most: some 4 KB each.
_THUMBNAIL_WIDTH, _THUMBNAIL_HEIGHT, _THUMBNAIL_QUALITY = 120, 160, 60


@dataclass(frozen=True)
class Job:
    """What to judge, by which profile; with a picture for the page, or without."""

    path: Path
    profile: str
    context: inspection.Context
    stage: profiles.Stage | None = None
    thumbnail: bool = False


@dataclass(frozen=True)
class Row:
    """What came of one file: a report, or the refusal to judge it. `thumbnail` is a JPEG with the findings drawn in."""

    path: Path
    report: inspection.Report | None
    refusal: refusals.Refusal | None
    thumbnail: bytes = b""

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
    profile = profiles.load(job.profile)
    try:
        context = dataclasses.replace(job.context, file_name=job.path.name)
        examined = inspection.examine(files.read(job.path), profile, stage=job.stage, context=context)
    except decoding.UnreadableImage as error:
        return Row(job.path, None, error.refusal)
    except (MemoryError, cv2.error):
        return gave_up(job)
    return Row(job.path, examined.report, None, _thumbnail(examined, profile) if job.thumbnail else b"")


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
