"""The integrity audit: what should lie in the object store against what lies there."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from gradphoto_contracts import ids
from services.capture import ports
from services.capture.domain import photos

#: Objects read at once; more only makes a small store slower.
AT_ONCE = 4


@dataclass(frozen=True)
class Wrong:
    """An object that is not as the rows say, and whose it is."""

    key: str
    capture_ids: tuple[ids.CaptureId, ...]


@dataclass(frozen=True)
class Findings:
    """What an audit found. An orphan may be an upload whose capture is still on its way."""

    checked: int
    missing: tuple[Wrong, ...]
    wrong_hash: tuple[Wrong, ...]
    orphans: tuple[str, ...]

    @property
    def sound(self) -> bool:
        return not (self.missing or self.wrong_hash or self.orphans)


@dataclass(frozen=True)
class _Expected:
    sha256: str
    capture_ids: tuple[ids.CaptureId, ...]


async def compare(unit: ports.Unit, objects: ports.Objects, campaign_id: ids.CampaignId, *, hashes: bool) -> Findings:
    """Compare rows and objects of a campaign; `hashes` reads every byte, which takes its time."""
    # Objects are listed before the rows are read: what is stored meanwhile cannot look missing.
    originals = {key async for key in objects.list(f"originals/{campaign_id}/")}
    there = originals | {key async for key in objects.list(f"photos/{campaign_id}/")}
    async with unit() as work:
        expected = _expected(campaign_id, await work.reports.objects(campaign_id))
    missing = [key for key in expected if key not in there]
    missing = [key for key in missing if not await objects.exists(key)]
    present = [key for key in expected if key not in set(missing)]
    wrong = await _wrong_hashes(objects, present, expected) if hashes else []
    return Findings(
        checked=len(expected),
        missing=tuple(Wrong(key, expected[key].capture_ids) for key in sorted(missing)),
        wrong_hash=tuple(Wrong(key, expected[key].capture_ids) for key in sorted(wrong)),
        orphans=tuple(sorted(there - expected.keys())),
    )


def _expected(campaign_id: ids.CampaignId, kept: Sequence[ports.Kept]) -> dict[str, _Expected]:
    expected: dict[str, _Expected] = {}
    for row in kept:
        key = photos.original_key(campaign_id, row.sha256)
        others = expected[key].capture_ids if key in expected else ()
        expected[key] = _Expected(row.sha256, (*others, row.capture_id))
        if row.photo_key is not None and row.photo_sha256 is not None:
            expected[row.photo_key] = _Expected(row.photo_sha256, (row.capture_id,))
    return expected


async def _wrong_hashes(objects: ports.Objects, keys: Sequence[str], expected: dict[str, _Expected]) -> list[str]:
    limiter = asyncio.Semaphore(AT_ONCE)

    async def differs(key: str) -> bool:
        async with limiter:
            return await objects.sha256(key) != expected[key].sha256

    found = await asyncio.gather(*(differs(key) for key in keys))
    return [key for key, wrong in zip(keys, found, strict=True) if wrong]
