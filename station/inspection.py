"""The photo standard at the desk: photospec on a thread of its own, one picture at a time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from photospec import decoding, inspection, profiles
from station.ports import verdicts


class PhotospecInspector:
    """Judges a picture without network; the server judges it again, as the authority."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inspection")

    async def inspect(self, jpeg: bytes, profile: str) -> verdicts.Judgement:
        """The verdict with everything that stands in the way of the picture."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _inspect, jpeg, profile)

    async def warm_up(self, jpeg: bytes) -> None:
        """Load the models, so that the first student of the day waits no longer than the others."""
        await self.inspect(jpeg, profiles.DEFAULT)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()


def _inspect(jpeg: bytes, profile: str) -> verdicts.Judgement:
    try:
        report = inspection.inspect(jpeg, profiles.load(profile), stage="capture")
    except decoding.UnreadableImage as error:
        return verdicts.Judgement("reject", profile, (_unreadable(str(error)),))
    reasons = tuple(_finding(finding) for finding in report.findings if finding.severity in ("reject", "review"))
    looked_at = tuple(_finding(finding) for finding in report.findings if finding.rule_id in report.for_a_person)
    return verdicts.Judgement(report.verdict, profile, reasons, _marks(report), looked_at)


def _finding(finding: inspection.Finding) -> verdicts.Finding:
    return verdicts.Finding(
        finding.rule_id,
        finding.severity,
        finding.reason_zh,
        finding.reason_en,
        finding.advice_zh,
        finding.advice_en,
        finding.measured,
        finding.unit,
        finding.limit,
    )


def _marks(report: inspection.Report) -> verdicts.Marks | None:
    face, crop = report.face, report.crop
    if face is None:
        return None
    wide, high = report.width_px, report.height_px
    return verdicts.Marks(
        crown_y=face.crown_y / high,
        eyes_y=(face.left_eye[1] + face.right_eye[1]) / 2 / high,
        chin_y=face.chin_y / high,
        left_x=(face.centre_x - face.face_width_px / 2) / wide,
        right_x=(face.centre_x + face.face_width_px / 2) / wide,
        left_eye=(face.left_eye[0] / wide, face.left_eye[1] / high),
        right_eye=(face.right_eye[0] / wide, face.right_eye[1] / high),
        crop=(crop.x / wide, crop.y / high, crop.width / wide, crop.height / high) if crop else None,
    )


def _unreadable(cause: str) -> verdicts.Finding:
    return verdicts.Finding(
        rule="unreadable",
        severity="reject",
        zh=f"照片文件无法读取（{cause}）。",
        en=f"The picture cannot be read ({cause}).",
        advice_zh="请重拍；仍然如此请检查相机和存储卡。",
        advice_en="Take it again; if it stays so, check camera and card.",
    )
