"""What roster does: one function a message. Each loads, lets the domain decide, saves, and says what happened."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gradphoto_contracts import capture, ids, policy
from gradphoto_contracts import roster as says
from gradphoto_contracts.envelope import Event
from kit import errors
from services.roster.domain import campaigns, codes, imports, roster, rows, sheets
from services.roster.ports import Field, Reveal, Work


@dataclass(frozen=True)
class OpenCampaign:
    """Open a campaign with these campuses, each (code, name)."""

    code: str
    title_zh: str
    school_code: str
    graduation_year: int
    policy: policy.Policy
    campuses: Sequence[tuple[str, str]]


async def open_campaign(work: Work, command: OpenCampaign) -> tuple[campaigns.Campaign, bool]:
    """Open a campaign; the same one again is no change. Returns it, and whether it is new."""
    twice = campaigns.repeated_codes(command.campuses)
    if twice is not None:
        raise errors.Invalid("roster-campus-twice", campus=twice)
    wanted = campaigns.Campaign(
        campaign_id=ids.CampaignId(work.new_id()),
        code=command.code,
        title_zh=command.title_zh,
        school_code=command.school_code,
        graduation_year=command.graduation_year,
        campuses=campaigns.number_campuses(command.campuses, [work.new_id() for _ in command.campuses]),
        policy=command.policy,
    )
    known = await work.campaigns.by_code(command.code)
    if known is not None:
        if not known.says_the_same(wanted):
            raise errors.Conflict("roster-campaign-differs", campaign=command.code)
        return known, False
    await work.campaigns.add(wanted)
    await work.events.add(campaigns.opened(wanted))
    return wanted, True


async def change_policy(work: Work, campaign_id: ids.CampaignId, new: policy.Policy) -> campaigns.Campaign:
    """Put another policy in force. Students whose cohort is treated otherwise now change with it."""
    campaign = await _open_campaign(work, campaign_id)
    changed = campaigns.with_policy(campaign, new)
    if changed is campaign:
        return campaign
    await _check_cohorts(work, campaign, new)
    await work.campaigns.save(changed)
    await work.events.add(campaigns.changed(changed))
    change = work.new_id()
    eligible = {cohort.code: cohort.eligible for cohort in new.cohorts}
    await work.students.reassess(campaign_id, change, eligible)
    return await _touched(work, changed, await work.students.settle(campaign_id, change))


async def close_campaign(work: Work, campaign_id: ids.CampaignId) -> campaigns.Campaign:
    """Close a campaign; closing it again is no change."""
    campaign = await _locked_campaign(work, campaign_id)
    if campaign.state == "closed":
        return campaign
    closed, event = campaigns.close(campaign)
    await work.campaigns.save(closed)
    await work.events.add(event)
    return closed


@dataclass(frozen=True)
class Preview:
    """What an upload would do: the import, every fault and warning of its rows, and who is absent from it."""

    upload: imports.Import
    faults: Sequence[sheets.Fault]
    absent: Sequence[imports.Known]


async def preview_import(
    work: Work, campaign_id: ids.CampaignId, sheet: sheets.Sheet, file_sha256: str, by: str
) -> Preview:
    """Check an uploaded roster and compare it with what is known. Nothing of the roster changes."""
    campaign = await _open_campaign(work, campaign_id)
    checked = await asyncio.to_thread(rows.check, sheet, campaign)
    import_id = ids.ImportId(work.new_id())
    difference = await _compare(work, campaign, checked.rows, reenrol=False)
    faults = [*checked.faults, *difference.faults, *await _renamed(work, difference)]
    errors_found = sum(not fault.warning for fault in faults)
    upload = imports.Import(
        import_id=import_id,
        campaign_id=campaign_id,
        file_sha256=file_sha256,
        rows=checked.total,
        new=difference.new,
        changed=difference.changed,
        unchanged=difference.unchanged,
        absent=len(difference.absent),
        errors=errors_found,
        state="refused" if errors_found else "ready",
        base_revision=campaign.roster_revision,
        classes=difference.classes,
    )
    await work.imports.add(upload, by, work.now)
    if not errors_found:
        await _stage(work, campaign, import_id, difference)
    return Preview(upload, sorted(faults, key=lambda fault: (fault.row, fault.column)), difference.absent)


async def apply_import(work: Work, import_id: ids.ImportId) -> imports.Import:
    """Apply a previewed upload: all of it or nothing. Applied again, it changes nothing and answers the same."""
    upload = await work.imports.locked(import_id)
    if upload is None:
        raise errors.NotFound("roster-import-unknown")
    if upload.state == "applied":
        return upload
    if upload.state == "dropped":
        raise errors.Conflict("roster-import-dropped")
    if upload.state == "refused":
        raise errors.Conflict("roster-import-refused", errors=upload.errors)
    campaign = await _open_campaign(work, upload.campaign_id)
    if campaign.roster_revision != upload.base_revision:
        raise errors.Conflict("roster-import-stale")
    touched = await work.students.enrol(campaign.campaign_id, import_id, upload.classes)
    await _touched(work, campaign, touched)
    await work.imports.applied(import_id, work.now)
    return replace(upload, state="applied")


async def enrol_student(work: Work, campaign_id: ids.CampaignId, sheet: sheets.Sheet) -> ids.StudentId:
    """Enrol one student by hand (a walk-in, or one withdrawn before), by the same rules as an import."""
    campaign = await _open_campaign(work, campaign_id)
    checked = rows.check(sheet, campaign)
    difference = await _compare(work, campaign, checked.rows, reenrol=True)
    faults = [fault for fault in (*checked.faults, *difference.faults) if not fault.warning]
    if faults or not checked.rows:
        raise RowsRefused(faults)
    if not difference.staged:
        return (await work.students.find(campaign_id, [checked.rows[0].student_no]))[checked.rows[0].student_no]
    change = ids.ImportId(work.new_id())
    await _stage(work, campaign, change, difference)
    await _touched(work, campaign, await work.students.enrol(campaign_id, change, difference.classes))
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
    campaign = await _open_campaign(work, record.campaign_id)
    change = work.new_id()
    if record.withdrawn:
        return
    version = await work.students.withdraw(student_id, change, reason)
    await work.events.add(
        says.StudentWithdrawnV1(
            student_id=student_id, campaign_id=record.campaign_id, class_id=record.class_id, version=version
        )
    )
    await _touched(work, campaign, await work.students.settle(record.campaign_id, change))


async def register_codes(
    work: Work, campaign_id: ids.CampaignId, wanted: Sequence[tuple[str, str]]
) -> list[codes.Outcome]:
    """Register codes, each (学号, payload): only a keyed digest is kept. Each claim has an outcome of its own."""
    campaign = await _open_campaign(work, campaign_id)
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


@dataclass(frozen=True)
class RevealFields:
    """Show these fields of a student unmasked, to this person, for this reason."""

    student_id: ids.StudentId
    fields: Sequence[Field]
    reason: str
    by: str
    role: str


async def reveal(work: Work, command: RevealFields) -> dict[str, str | None]:
    """Open fields of the vault; the look is recorded in the same transaction, or it does not happen."""
    record = await work.students.get(command.student_id)
    if record is None:
        raise errors.NotFound("roster-student-unknown")
    await work.reveals.add(
        Reveal(
            reveal_id=work.new_id(),
            at=work.now,
            by=command.by,
            role=command.role,
            student_id=command.student_id,
            campaign_id=record.campaign_id,
            fields=tuple(command.fields),
            reason=command.reason,
        )
    )
    sealed = {"name": record.name_sealed, "document_no": record.document_sealed, "phone": record.phone_sealed}
    return {field: _opened(work, command.student_id, field, sealed[field]) for field in command.fields}


async def on_photo_accepted(work: Work, event: capture.PhotoAcceptedV1) -> None:
    """The student has a photo."""
    await work.photos.put(event.capture_id, event.student_id, in_force=True, version=event.version)


async def on_photo_rebound(work: Work, event: capture.PhotoReboundV1) -> None:
    """The photo is another student's."""
    await work.photos.put(event.capture_id, event.student_id, in_force=True, version=event.version)


async def on_photo_withdrawn(work: Work, event: capture.PhotoWithdrawnV1) -> None:
    """The student has this photo no more."""
    await work.photos.put(event.capture_id, event.student_id, in_force=False, version=event.version)


async def _locked_campaign(work: Work, campaign_id: ids.CampaignId) -> campaigns.Campaign:
    campaign = await work.campaigns.locked(campaign_id)
    if campaign is None:
        raise errors.NotFound("roster-campaign-unknown")
    return campaign


async def _open_campaign(work: Work, campaign_id: ids.CampaignId) -> campaigns.Campaign:
    campaign = await _locked_campaign(work, campaign_id)
    if campaign.state == "closed":
        raise errors.Conflict("roster-campaign-closed", campaign=campaign.code)
    return campaign


async def _check_cohorts(work: Work, campaign: campaigns.Campaign, new: policy.Policy) -> None:
    known = await work.students.known(campaign.campaign_id)
    orphaned = {one.cohort for one in known.students if not one.withdrawn} - {cohort.code for cohort in new.cohorts}
    if orphaned:
        raise errors.Conflict("roster-cohort-in-use", cohorts="、".join(sorted(orphaned)))


async def _compare(
    work: Work, campaign: campaigns.Campaign, checked: Sequence[rows.Row], *, reenrol: bool
) -> imports.Difference:
    known = await work.students.known(campaign.campaign_id)

    def compare() -> imports.Difference:
        return imports.compare(work.vault.trace(checked), known, work.new_id, reenrol=reenrol)

    return await asyncio.to_thread(compare)


async def _renamed(work: Work, difference: imports.Difference) -> list[sheets.Fault]:
    changed = {staged.student_id: staged.traced.row for staged in difference.staged if staged.known}
    sealed = await work.students.sealed_names(list(changed))
    before = {student_id: work.vault.open(student_id, "name", one) for student_id, one in sealed.items()}
    warnings = (imports.other_name(changed[student_id], name) for student_id, name in before.items())
    return [warning for warning in warnings if warning is not None]


async def _stage(
    work: Work, campaign: campaigns.Campaign, change: ids.ImportId, difference: imports.Difference
) -> None:
    mode = campaign.policy.identity_mode
    sealed = await asyncio.to_thread(work.vault.seal, campaign.campaign_id, difference.staged, mode)
    await work.imports.stage(change, sealed)


async def _touched(work: Work, campaign: campaigns.Campaign, touched: roster.Touched) -> campaigns.Campaign:
    """Say what a change touched, and count it: uploads compared with the roster before it are stale now."""
    counted = replace(campaign, roster_revision=campaign.roster_revision + 1)
    await work.campaigns.save(counted)
    await work.events.add_all(roster.said(touched))
    return counted


def _opened(work: Work, student_id: ids.StudentId, field: Field, sealed: bytes | None) -> str | None:
    return None if sealed is None else work.vault.open(student_id, field, sealed)


Handler = Callable[[Work, Any], Awaitable[None]]

#: Everything that roster hears, and who answers.
HEARS: dict[type[Event], Handler] = {
    capture.PhotoAcceptedV1: on_photo_accepted,
    capture.PhotoReboundV1: on_photo_rebound,
    capture.PhotoWithdrawnV1: on_photo_withdrawn,
}
