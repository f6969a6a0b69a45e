"""Students' codes are registered: only keyed digests are kept."""

from collections.abc import Sequence

from gradphoto_contracts import ids
from services.roster.domain import codes, roster
from services.roster.handlers import standing
from services.roster.ports import Work


async def register_codes(
    work: Work, campaign_id: ids.CampaignId, wanted: Sequence[tuple[str, str]]
) -> list[codes.Outcome]:
    """Register codes, each (学号, payload): only a keyed digest is kept. Each claim has an outcome of its own."""
    campaign = await standing.unclosed(work, campaign_id)
    mode = campaign.policy.identity_mode
    found = await work.students.find(campaign_id, [student_no for student_no, _ in wanted])
    claims = [codes.Claim(no, found.get(no), work.vault.digest(campaign_id, mode, payload)) for no, payload in wanted]
    owners = await work.codes.owners(campaign_id, [claim.digest for claim in claims])
    outcomes = codes.decide(claims, owners, await work.codes.held(list(found.values())))
    registered = {
        outcome.claim.student_id: outcome.claim.digest
        for outcome in outcomes
        if outcome.result == "registered" and outcome.claim.student_id is not None
    }
    states = await work.codes.register(campaign_id, mode, registered, work.new_id())
    await work.events.add_all(roster.said(roster.Touched((), (), states)))
    return outcomes
