"""Classes, students and their codes over HTTP. Who a student is stays masked, unless revealed for a reason."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, status
from pydantic import BaseModel, ConfigDict, Field

from gradphoto_contracts import ids
from kit import auth, db, logs, messages, pages, web
from services.roster import ports
from services.roster.api import access, faults
from services.roster.domain import codes, names, roster, sheets
from services.roster.handlers import enrolling, registering, revealing
from services.roster.ports import StudentRecord, Work

Reader = Annotated[auth.Principal, Depends(web.principal("roster.read"))]
Writer = Annotated[auth.Principal, Depends(web.principal("roster.write"))]
Revealer = Annotated[auth.Principal, Depends(web.principal("roster.reveal"))]
Auditor = Annotated[auth.Principal, Depends(web.principal("ops.read"))]
Limit = Annotated[int, Query(ge=1, le=5000)]


class ClassAnswer(BaseModel):
    """A class; `headcount` counts its eligible students."""

    class_id: UUID
    label: str
    college_zh: str
    campus_id: UUID
    headcount: int


class StudentAnswer(BaseModel):
    """A student, masked."""

    student_id: UUID
    campaign_id: UUID
    class_id: UUID
    student_no: str
    name_masked: str
    document_type: str
    document_masked: str
    cohort: str
    level: str
    eligible: bool
    withdrawn: bool
    ordinal: int
    captured: bool
    code_registered: bool


class StudentRequest(BaseModel):
    """One student by hand: a row with the headers that a roster has (学号, 姓名 …)."""

    model_config = ConfigDict(extra="forbid")

    row: dict[str, str]


class EnrolledAnswer(BaseModel):
    """The student who was enrolled by hand."""

    student_id: UUID


class ReasonRequest(BaseModel):
    """Why a student is taken off."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=2, max_length=500)


class RevealRequest(BaseModel):
    """Which fields to show, and why."""

    model_config = ConfigDict(extra="forbid")

    fields: list[ports.Field] = Field(min_length=1)
    reason: str = Field(min_length=2, max_length=500)


class RevealAnswer(BaseModel):
    """The fields asked for, unmasked."""

    student_id: UUID
    fields: dict[str, str | None]


class AuditAnswer(BaseModel):
    """One look at unmasked data."""

    reveal_id: UUID
    at: datetime
    by: str
    role: str
    student_id: UUID
    campaign_id: UUID
    fields: list[str]
    reason: str


class CodeRequest(BaseModel):
    """A student's code: the payload is opaque, and only its digest is kept."""

    model_config = ConfigDict(extra="forbid")

    student_no: str = Field(min_length=1, max_length=20)
    payload: str = Field(min_length=1, max_length=4096)


class CodesRequest(BaseModel):
    """Codes to register, at most a thousand at once."""

    model_config = ConfigDict(extra="forbid")

    codes: list[CodeRequest] = Field(min_length=1, max_length=1000)


class CodeAnswer(BaseModel):
    """What became of one code."""

    student_no: str
    outcome: codes.Result
    code: str
    zh: str
    en: str


class ResolveRequest(BaseModel):
    """Student numbers (学号) to find."""

    model_config = ConfigDict(extra="forbid")

    student_nos: list[str] = Field(min_length=1, max_length=5000)


class ResolvedAnswer(BaseModel):
    """A student number that is on the roster, and whose it is."""

    student_no: str
    student_id: UUID


class ResolvedAnswers(BaseModel):
    """The student numbers that are on the roster, and those that are not."""

    items: list[ResolvedAnswer]
    unknown: list[str]


def router(unit: db.Unit[Work]) -> APIRouter:
    """Read, enrol, withdraw and reveal students; register their codes."""
    doors = APIRouter(tags=["students"])
    _add_lists(doors, unit)
    _add_changes(doors, unit)
    _add_vault(doors, unit)
    return doors


def _add_lists(doors: APIRouter, unit: db.Unit[Work]) -> None:
    @doors.get("/campaigns/{campaign_id}/classes")
    async def list_classes(campaign_id: UUID, who: Reader) -> pages.Page[ClassAnswer]:
        campaign = ids.CampaignId(campaign_id)
        async with unit() as work:
            found = await work.listings.classes(campaign, access.within(who, campaign))
        return pages.Page(items=[_class(one) for one in found])

    @doors.get("/campaigns/{campaign_id}/students")
    async def list_students(
        campaign_id: UUID, who: Reader, class_id: UUID | None = None, after: UUID | None = None, limit: Limit = 500
    ) -> pages.Page[StudentAnswer]:
        campaign = ids.CampaignId(campaign_id)
        scope = access.within(who, campaign)
        in_class = None if class_id is None else ids.ClassId(class_id)
        last = None if after is None else ids.StudentId(after)
        async with unit() as work:
            found = await work.listings.students(campaign, scope, in_class, last, limit)
            items = [_student(work, one) for one in found]
        return pages.Page(items=items, next=items[-1].student_id if len(items) == limit else None)

    @doors.get("/students/{student_id}")
    async def get_student(student_id: UUID, who: Reader) -> StudentAnswer:
        async with unit() as work:
            return _student(work, await access.record(work, who, ids.StudentId(student_id)))

    @doors.post("/campaigns/{campaign_id}/resolve")
    async def resolve(campaign_id: UUID, request: ResolveRequest, who: Reader) -> ResolvedAnswers:
        who.require_whole(campaign_id)
        async with unit() as work:
            found = await work.students.find(ids.CampaignId(campaign_id), request.student_nos)
        items = [ResolvedAnswer(student_no=no, student_id=found[no]) for no in request.student_nos if no in found]
        return ResolvedAnswers(items=items, unknown=[no for no in request.student_nos if no not in found])


def _add_changes(doors: APIRouter, unit: db.Unit[Work]) -> None:
    @doors.post("/campaigns/{campaign_id}/students", status_code=status.HTTP_201_CREATED)
    async def enrol_student(campaign_id: UUID, request: StudentRequest, who: Writer) -> EnrolledAnswer:
        who.require_scope(campaign_id=campaign_id, college=request.row.get("学院", ""))
        try:
            async with unit() as work:
                student_id = await enrolling.enrol_student(work, ids.CampaignId(campaign_id), _sheet(request))
        except enrolling.RowsRefused as refused:
            refused.rows = [faults.worded(fault).model_dump() for fault in refused.faults]
            raise
        return EnrolledAnswer(student_id=student_id)

    @doors.post("/students/{student_id}/withdraw")
    async def withdraw_student(student_id: UUID, request: ReasonRequest, who: Writer) -> StudentAnswer:
        async with unit() as work:
            await access.record(work, who, ids.StudentId(student_id))
            await enrolling.withdraw_student(work, ids.StudentId(student_id), request.reason)
            return _student(work, await access.record(work, who, ids.StudentId(student_id)))

    @doors.post("/campaigns/{campaign_id}/codes")
    async def register_codes(campaign_id: UUID, request: CodesRequest, who: Writer) -> pages.Page[CodeAnswer]:
        who.require_whole(campaign_id)
        wanted = [(one.student_no, one.payload) for one in request.codes]
        async with unit() as work:
            outcomes = await registering.register_codes(work, ids.CampaignId(campaign_id), wanted)
        return pages.Page(items=[_code(one) for one in outcomes])


def _add_vault(doors: APIRouter, unit: db.Unit[Work]) -> None:
    @doors.post("/students/{student_id}/reveal")
    async def reveal(student_id: UUID, request: RevealRequest, who: Revealer) -> RevealAnswer:
        student = ids.StudentId(student_id)
        async with unit() as work:
            await access.record(work, who, student)
            command = revealing.RevealFields(student, request.fields, request.reason, who.sub, who.role)
            return RevealAnswer(student_id=student_id, fields=await revealing.reveal(work, command))

    @doors.get("/audit")
    async def list_reveals(who: Auditor, after: UUID | None = None, limit: Limit = 500) -> pages.Page[AuditAnswer]:
        visible = who.scope.get("campaign")
        async with unit() as work:
            found = await work.listings.reveals(
                after, None if visible is None else [UUID(one) for one in visible], limit
            )
        logs.get("audit").info("roster.reveals-read", sub=who.sub, role=who.role, lines=len(found))
        items = [AuditAnswer.model_validate(one._asdict()) for one in found]
        return pages.Page(items=items, next=items[-1].reveal_id if len(items) == limit else None)


def _class(one: roster.ClassState) -> ClassAnswer:
    return ClassAnswer.model_validate({name: getattr(one, name) for name in ClassAnswer.model_fields})


def _student(work: Work, record: StudentRecord) -> StudentAnswer:
    """The record with name and number opened only to be masked."""
    fields = {name: getattr(record, name) for name in StudentAnswer.model_fields if hasattr(record, name)}
    name = work.vault.open(record.student_id, "name", record.name_sealed)
    number = work.vault.open(record.student_id, "document_no", record.document_sealed)
    return StudentAnswer(**fields, name_masked=names.masked(name), document_masked=names.masked_number(number))


def _code(outcome: codes.Outcome) -> CodeAnswer:
    zh, en = messages.render(outcome.code, {})
    return CodeAnswer(student_no=outcome.claim.student_no, outcome=outcome.result, code=outcome.code, zh=zh, en=en)


def _sheet(request: StudentRequest) -> sheets.Sheet:
    """One student as a sheet of one row, so that it meets the same rules."""
    return sheets.Sheet([list(request.row), list(request.row.values())])
