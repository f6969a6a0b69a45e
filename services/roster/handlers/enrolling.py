"""One student is put on the roster by hand, or taken off it."""

from collections.abc import Sequence

from gradphoto_contracts import ids
from gradphoto_contracts import roster as says
from kit import errors
from services.roster.domain import rows, sheets
from services.roster.handlers import importing, standing
from services.roster.ports import Work


async def enrol_student(work: Work, campaign_id: ids.CampaignId, sheet: sheets.Sheet) -> ids.StudentId:
    """Enrol one student by hand (a walk-in, or one withdrawn before), by the same rules as an import."""
    campaign = await standing.unclosed(work, campaign_id)
    checked = rows.check(sheet, campaign)
    difference = await importing.compare(work, campaign, checked.rows, reenrol=True)
    faults = [fault for fault in (*checked.faults, *difference.faults) if not fault.warning]
    if faults or not checked.rows:
        raise RowsRefused(faults)
    if not difference.staged:
        return (await work.students.find(campaign_id, [checked.rows[0].student_no]))[checked.rows[0].student_no]
    change = ids.ImportId(work.new_id())
    await importing.stage(work, campaign, change, difference)
    await standing.say(work, campaign, await work.students.enrol(campaign_id, change, difference.classes))
    return difference.staged[0].student_id


class RowsRefused(errors.Invalid):
    """Rows were refused; the door says why, row by row."""

    def __init__(self, faults: Sequence[sheets.Fault]) -> None:
        super().__init__("roster-rows-refused", errors=len(faults))
        self.faults = faults


async def withdraw_student(work: Work, student_id: ids.StudentId, reason: str) -> None:
    """Take a student off the roster; again is no change. The others of the class close up."""
    record = await work.students.get(student_id)
    if record is None:
        raise errors.NotFound("roster-student-unknown")
    campaign = await standing.unclosed(work, record.campaign_id)
    change = work.new_id()
    if record.withdrawn:
        return
    version = await work.students.withdraw(student_id, change, reason)
    await work.events.add(
        says.StudentWithdrawnV1(
            student_id=student_id, campaign_id=record.campaign_id, class_id=record.class_id, version=version
        )
    )
    await standing.say(work, campaign, await work.students.settle(record.campaign_id, change))
