"""Taking a CHSI result file: all rows, or none and a list of what is wrong in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from gradphoto_contracts import ids
from gradphoto_contracts.capture import Sha256
from kit import errors, messages
from services.verify.domain import chsi, copies, journey
from services.verify.handlers import steps
from services.verify.ports import Taken, Work


async def take_results(
    work: Work, campaign_id: ids.CampaignId, file_sha256: Sha256, verdicts: Sequence[chsi.Verdict]
) -> Taken:
    """Take what CHSI says. The same file again changes nothing and gets the same answer.

    Raises:
        errors.Invalid: a row names a photo that was not delivered, or one photo twice; `rows` lists them all.
    """
    await work.campaigns.hold(campaign_id)
    campaign = await steps.campaign(work, campaign_id)
    known = await work.results.get(campaign_id, file_sha256)
    if known is not None:
        return known
    said = await work.batches.verdicts(campaign_id)
    _check(verdicts, said)
    fresh = [verdict for verdict in verdicts if said[verdict.capture_id] != verdict.shown]
    cases = await work.cases.of_captures([verdict.capture_id for verdict in fresh])
    await work.batches.judge(fresh)
    current = [(verdict, cases[verdict.capture_id]) for verdict in fresh if verdict.capture_id in cases]
    await steps.save(work, [_apply(verdict, case, work, campaign) for verdict, case in current])
    published = sum(verdict.shown for verdict, _ in current)
    taken = Taken(len(verdicts), published, len(current) - published, len(verdicts) - len(current))
    await work.results.add(campaign_id, file_sha256, taken)
    return taken


def _apply(verdict: chsi.Verdict, case: journey.Case, work: Work, campaign: copies.Campaign) -> journey.Step:
    act = chsi.publish if verdict.shown else chsi.refuse
    return act(case, work.now, campaign)


def _check(verdicts: Sequence[chsi.Verdict], said: Mapping[ids.CaptureId, bool | None]) -> None:
    twice = chsi.repeated(verdicts)
    faults = [
        fault(verdict.row, "图像编号", str(verdict.capture_id), "verify-result-twice", first_row=twice[verdict.row])
        for verdict in verdicts
        if verdict.row in twice
    ]
    faults += [
        fault(verdict.row, "图像编号", str(verdict.capture_id), "verify-result-not-delivered")
        for verdict in verdicts
        if verdict.capture_id not in said
    ]
    refuse_faults(faults)


def refuse_faults(faults: list[dict[str, Any]]) -> None:
    """Raise when there are faults; nothing of the file is taken then."""
    if faults:
        faults.sort(key=lambda found: found["row"])
        raise errors.Invalid("verify-results-refused", rows=faults, count=len(faults))


def fault(row: int, column: str, value: str, code: str, /, **params: errors.Param) -> dict[str, Any]:
    """One fault of a result file: where, what, and what to do, in both languages."""
    zh, en = messages.render(code, {"row": row, **params})
    return {"row": row, "column": column, "value": value[:80], "code": code, "zh": zh, "en": en}
