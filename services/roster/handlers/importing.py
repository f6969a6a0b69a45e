"""A roster is uploaded: compared with what is known, shown, and taken whole or not at all."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gradphoto_contracts import ids
from kit import errors
from services.roster.domain import campaigns, imports, rows, sheets
from services.roster.handlers import standing
from services.roster.ports import Work


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
    campaign = await standing.unclosed(work, campaign_id)
    checked = await asyncio.to_thread(rows.check, sheet, campaign)
    import_id = ids.ImportId(work.new_id())
    difference = await compare(work, campaign, checked.rows, reenrol=False)
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
        await stage(work, campaign, import_id, difference)
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
    campaign = await standing.unclosed(work, upload.campaign_id)
    if campaign.roster_revision != upload.base_revision:
        raise errors.Conflict("roster-import-stale")
    touched = await work.students.enrol(campaign.campaign_id, import_id, upload.classes)
    await standing.say(work, campaign, touched)
    await work.imports.applied(import_id, work.now)
    return replace(upload, state="applied")


async def compare(
    work: Work, campaign: campaigns.Campaign, checked: Sequence[rows.Row], *, reenrol: bool
) -> imports.Difference:
    """What these rows would change; `reenrol` brings back those who were withdrawn."""
    known = await work.students.known(campaign.campaign_id)

    def compare() -> imports.Difference:
        return imports.compare(work.vault.trace(checked), known, work.new_id, reenrol=reenrol)

    return await asyncio.to_thread(compare)


async def stage(work: Work, campaign: campaigns.Campaign, change: ids.ImportId, difference: imports.Difference) -> None:
    """Seal what is new and put it beside the roster, for the change to take over."""
    mode = campaign.policy.identity_mode
    sealed = await asyncio.to_thread(work.vault.seal, campaign.campaign_id, difference.staged, mode)
    await work.imports.stage(change, sealed)


async def _renamed(work: Work, difference: imports.Difference) -> list[sheets.Fault]:
    changed = {staged.student_id: staged.traced.row for staged in difference.staged if staged.known}
    sealed = await work.students.sealed_names(list(changed))
    before = {student_id: work.vault.open(student_id, "name", one) for student_id, one in sealed.items()}
    warnings = (imports.other_name(changed[student_id], name) for student_id, name in before.items())
    return [warning for warning in warnings if warning is not None]
