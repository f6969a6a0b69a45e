"""The photo standard at the desk: photospec on a thread of its own, one picture at a time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from photospec import decoding, inspection, profiles
from station import ports


class PhotospecInspector:
    """Judges a picture without network; the server judges it again, as the authority."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inspection")

    async def inspect(self, jpeg: bytes, profile: str) -> ports.Judgement:
        """The verdict with everything that stands in the way of the picture."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _inspect, jpeg, profile)

    async def warm_up(self, jpeg: bytes) -> None:
        """Load the models, so that the first student of the day waits no longer than the others."""
        await self.inspect(jpeg, profiles.DEFAULT)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()


def _inspect(jpeg: bytes, profile: str) -> ports.Judgement:
    try:
        report = inspection.inspect(jpeg, profiles.load(profile), stage="capture")
    except decoding.UnreadableImage as error:
        return ports.Judgement("reject", profile, (_unreadable(str(error)),))
    reasons = tuple(_finding(finding) for finding in report.findings if finding.severity in ("reject", "review"))
    return ports.Judgement(report.verdict, profile, reasons)


def _finding(finding: inspection.Finding) -> ports.Finding:
    return ports.Finding(
        finding.rule_id,
        finding.severity,
        finding.reason_zh,
        finding.reason_en,
        finding.advice_zh,
        finding.advice_en,
    )


def _unreadable(cause: str) -> ports.Finding:
    return ports.Finding(
        rule="unreadable",
        severity="reject",
        zh=f"照片文件无法读取（{cause}）。",
        en=f"The picture cannot be read ({cause}).",
        advice_zh="请重拍；仍然如此请检查相机和存储卡。",
        advice_en="Take it again; if it stays so, check camera and card.",
    )
