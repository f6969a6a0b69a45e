"""The day over HTTP: delays, order cards, and who missed it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from gradphoto_contracts import ids
from kit import auth, db, errors, pages, web
from kit import ids as new_ids
from services.scheduler.api import access, bodies
from services.scheduler.domain import plans
from services.scheduler.handlers import moving
from services.scheduler.ports import Campaign, MissedRecord, Work

Reader = Annotated[auth.Principal, Depends(web.principal("plan.read"))]
Writer = Annotated[auth.Principal, Depends(web.principal("plan.write"))]
Limit = Annotated[int, Query(ge=1, le=50_000)]


def router(unit: db.Unit[Work]) -> APIRouter:
    """Delays, order cards, the missed."""
    doors = APIRouter(tags=["days"])

    @doors.post("/groups/{group_id}/delays")
    async def announce_delay(group_id: UUID, request: bodies.DelayRequest, who: Writer) -> bodies.DelayAnswer:
        delay_id = request.delay_id or new_ids.new()
        command = moving.AnnounceDelay(delay_id, ids.GroupId(group_id), request.minutes, request.reason)
        async with unit() as work:
            found = await work.floor.group(command.group_id)
            if found is not None:
                who.require_whole(found[0])
            moved = await moving.announce_delay(work, command)
        return bodies.DelayAnswer(delay_id=delay_id, moved=[slot.slot_id for slot in moved])

    @doors.get("/campaigns/{campaign_id}/missed")
    async def list_missed(
        campaign_id: UUID, who: Reader, after: UUID | None = None, limit: Limit = 50_000
    ) -> pages.Page[bodies.MissedAnswer]:
        who.require_scope(campaign_id=campaign_id)
        last = None if after is None else ids.StudentId(after)
        async with unit() as work:
            found = await work.absences.listed(ids.CampaignId(campaign_id), last, limit)
        items = [bodies.MissedAnswer.model_validate(one._asdict()) for one in found if _sees(who, one)]
        return pages.Page(items=items, next=found[-1].student_id if len(found) == limit else None)

    @doors.get("/classes/{class_id}/order-card")
    async def get_order_card(class_id: UUID, who: Reader) -> bodies.CardAnswer:
        async with unit() as work:
            found = await work.floor.slot_of_class(ids.ClassId(class_id))
            if found is None:
                raise errors.NotFound("plan-class-not-planned")
            campaign_id, slot = found
            campaign = await work.campaigns.get(campaign_id)
            group = await work.floor.group(slot.group_id)
            classes = [one for one in await work.people.classes(campaign_id) if one.class_id == class_id]
        if campaign is None or group is None or not classes:
            raise errors.NotFound("plan-class-not-planned")
        one = classes[0]
        who.require_scope(campaign_id=campaign_id, campus_id=one.campus_id, college=one.college_zh, class_id=class_id)
        return _card(campaign, group[1], one, slot)

    return doors


def _sees(who: auth.Principal, one: MissedRecord) -> bool:
    return access.sees_class(who, one.class_id, one.college_zh, one.campus_id)


def _card(campaign: Campaign, group: plans.Group, one: plans.SchoolClass, slot: plans.Slot) -> bodies.CardAnswer:
    campus_zh = next((campus.name_zh for campus in campaign.campuses if campus.campus_id == slot.campus_id), "")
    return bodies.CardAnswer(
        class_id=one.class_id,
        label=one.label,
        college_zh=one.college_zh,
        campus_zh=campus_zh,
        site_zh=group.site_zh,
        room_zh=group.room_zh,
        group_code=group.code,
        order_code=slot.order_code,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        headcount=one.headcount,
        priority=slot.priority,
        text=_text(campaign, group, one, slot, campus_zh),
    )


def _text(campaign: Campaign, group: plans.Group, one: plans.SchoolClass, slot: plans.Slot, campus_zh: str) -> str:
    begins, ends = plans.local(slot.starts_at), plans.local(slot.ends_at)
    lines = (
        "图像采集顺序卡 · Capture order card",
        campaign.title_zh,
        f"顺序代码 Order code  {slot.order_code or '—'}" + ("（优先 priority）" if slot.priority else ""),
        f"班级 Class  {one.college_zh} {one.label}，{one.headcount} 人 students",
        f"时间 Time  {begins:%Y-%m-%d %H:%M}–{ends:%H:%M}",
        f"地点 Place  {campus_zh} {group.site_zh} {group.room_zh}（{group.code}组 group {group.code}）",
    )
    return "\n".join(lines)
