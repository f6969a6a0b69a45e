"""Roster files over HTTP: a preview first, then all of it or nothing."""

import asyncio
import hashlib
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, UploadFile, status
from pydantic import BaseModel

from gradphoto_contracts import ids
from kit import auth, db, web
from services.roster.api import faults, workbook
from services.roster.domain import imports
from services.roster.handlers import importing
from services.roster.ports import Work

Writer = Annotated[auth.Principal, Depends(web.principal("roster.write"))]


class AbsentAnswer(BaseModel):
    """A student who is on the roster and not in the file."""

    student_id: UUID
    student_no: str


class PreviewAnswer(BaseModel):
    """What an upload would do, and every fault in it. `state` is `refused` as long as there is an error."""

    import_id: UUID
    file_sha256: str
    rows: int
    new: int
    changed: int
    unchanged: int
    absent: int
    absent_students: list[AbsentAnswer]
    errors: list[faults.FaultAnswer]
    warnings: list[faults.FaultAnswer]
    state: str


class AppliedAnswer(BaseModel):
    """What an upload did."""

    import_id: UUID
    state: str
    new: int
    changed: int
    unchanged: int


def router(unit: db.Unit[Work]) -> APIRouter:
    """Upload a roster and apply it."""
    doors = APIRouter(tags=["imports"])

    @doors.post("/campaigns/{campaign_id}/imports", status_code=status.HTTP_201_CREATED)
    async def preview_import(campaign_id: UUID, file: UploadFile, who: Writer) -> PreviewAnswer:
        campaign = ids.CampaignId(campaign_id)
        who.require_whole(campaign)
        data = await file.read()
        sheet = await asyncio.to_thread(workbook.read, data)
        digest = hashlib.sha256(data).hexdigest()
        async with unit() as work:
            preview = await importing.preview_import(work, campaign, sheet, digest, who.sub)
        return await asyncio.to_thread(_preview, preview)

    @doors.post("/imports/{import_id}/apply")
    async def apply_import(import_id: UUID, who: Writer) -> AppliedAnswer:
        async with unit() as work:
            upload = await importing.apply_import(work, ids.ImportId(import_id))
            # Inside the transaction: out of scope undoes it.
            who.require_whole(upload.campaign_id)
        return _applied(upload)

    return doors


def _preview(preview: importing.Preview) -> PreviewAnswer:
    errors, warnings = faults.sorted_out(preview.faults)
    upload = preview.upload
    return PreviewAnswer(
        import_id=upload.import_id,
        file_sha256=upload.file_sha256,
        rows=upload.rows,
        new=upload.new,
        changed=upload.changed,
        unchanged=upload.unchanged,
        absent=upload.absent,
        absent_students=[AbsentAnswer(student_id=one.student_id, student_no=one.student_no) for one in preview.absent],
        errors=errors,
        warnings=warnings,
        state=upload.state,
    )


def _applied(upload: imports.Import) -> AppliedAnswer:
    return AppliedAnswer(
        import_id=upload.import_id,
        state=upload.state,
        new=upload.new,
        changed=upload.changed,
        unchanged=upload.unchanged,
    )
