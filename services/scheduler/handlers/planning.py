"""A plan is drafted and put in force."""

from dataclasses import replace

from gradphoto_contracts import ids
from kit import errors
from services.scheduler.domain import drafting, plans, running, wanted
from services.scheduler.handlers import standing
from services.scheduler.ports import Campaign, Work


class PlanRefused(errors.Invalid):
    """A plan with errors is not published; the door words its findings."""

    def __init__(self, plan: plans.Plan) -> None:
        super().__init__("plan-has-errors", errors=plan.errors)
        self.plan = plan


async def draft_plan(work: Work, campaign_id: ids.CampaignId, asked: wanted.Wanted) -> plans.Plan:
    """Draft the next revision. Its findings say what speaks against it; nothing on the floor changes."""
    campaign = await standing.unclosed(work, campaign_id)
    layout, findings = await _lay_out(work, campaign, asked, plans.Layout())
    plan = plans.Plan(
        plan_id=ids.PlanId(work.new_id()),
        campaign_id=campaign_id,
        revision=await work.plans.newest_revision(campaign_id) + 1,
        state="draft",
        wanted=asked,
        layout=layout,
        findings=findings,
    )
    await work.plans.add(plan, work.now)
    return plan


async def publish_plan(work: Work, plan_id: ids.PlanId) -> plans.Plan:
    """Put a draft in force, checked anew against the roster as it is now. Published again, nothing changes."""
    drafted = await work.plans.get(plan_id)
    if drafted is None:
        raise errors.NotFound("plan-unknown")
    campaign = await standing.unclosed(work, drafted.campaign_id)
    drafted = await work.plans.get(plan_id) or drafted
    if drafted.state == "published":
        return drafted
    if drafted.state == "superseded":
        raise errors.Conflict("plan-superseded", revision=drafted.revision)
    layout, findings = await _lay_out(work, campaign, drafted.wanted, drafted.layout)
    plan = replace(drafted, layout=layout, findings=findings, state="published")
    if plan.errors or not layout.slots:
        raise PlanRefused(plan)
    await _put_in_force(work, plan)
    return plan


async def _lay_out(
    work: Work, campaign: Campaign, asked: wanted.Wanted, drafted: plans.Layout
) -> tuple[plans.Layout, tuple[plans.Finding, ...]]:
    school = drafting.School(campaign.campuses, await work.people.classes(campaign.campaign_id))
    in_force = await work.floor.layout(campaign.campaign_id)
    return drafting.draft(asked, school, (drafted, in_force), work.new_id)


async def _put_in_force(work: Work, plan: plans.Plan) -> None:
    before = await work.plans.in_force(plan.campaign_id)
    if before is not None:
        await work.plans.save(replace(before, state="superseded"))
    campaign = await work.campaigns.get(plan.campaign_id)
    cash = campaign is not None and campaign.fee_mode == "cash_on_site"
    paid = await work.people.paid(plan.campaign_id) if cash else frozenset()
    slots_before = (await work.floor.layout(plan.campaign_id)).slots
    change = running.take_over(slots_before, plan.layout.slots, paid)
    await work.plans.save(plan)
    await work.floor.replace(plan, plan.layout.groups, plan.layout.desks, change)
    await work.events.add(plans.published(plan))
    of = plan.plan_id, plan.campaign_id
    await work.events.add_all(plans.cancelled(slot, plan.campaign_id) for slot in change.cancelled)
    await work.events.add_all(plans.moved(slot, *of) for slot in change.moved)
    await work.events.add_all(plans.assigned(slot, *of) for slot in change.assigned)
