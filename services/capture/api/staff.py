"""What staff may see and do: progress, captures, whose a photo is."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from gradphoto_contracts import ids
from kit import auth, errors, messages, pages, web
from kit import clock as clocks
from services.capture import ports
from services.capture.api import access
from services.capture.api.bodies import binding as binding_bodies
from services.capture.api.bodies import shape
from services.capture.api.bodies import staff as staff_bodies
from services.capture.domain import consents, photos
from services.capture.handlers import binding

Reader = Annotated[auth.Principal, Depends(web.principal("capture.read"))]
Binder = Annotated[auth.Principal, Depends(web.principal("capture.rebind"))]
Limit = Annotated[int, Query(ge=1, le=1000)]

#: How long an image's address opens it.
IMAGE_S = 60


def router(unit: ports.Unit, objects: ports.Objects, clock: clocks.Clock) -> APIRouter:
    """Lists and single captures."""
    doors = APIRouter(tags=["staff"])
    _add_lists(doors, unit)
    _add_captures(doors, unit, objects, clock)
    _add_binding(doors, unit)
    return doors


def _add_lists(doors: APIRouter, unit: ports.Unit) -> None:
    @doors.get("/campaigns/{campaign_id}/progress")
    async def progress(campaign_id: UUID, who: Reader) -> staff_bodies.Progress:
        scope = access.within(who, campaign_id)
        async with unit() as work:
            found = await work.reports.progress(ids.CampaignId(campaign_id), scope)
        return staff_bodies.Progress(
            by_class=shape.rows(staff_bodies.ClassProgress, found["by_class"]),
            by_desk=shape.rows(staff_bodies.DeskProgress, found["by_desk"]),
        )

    @doors.get("/campaigns/{campaign_id}/captures")
    async def captures(
        campaign_id: UUID, who: Reader, after: UUID | None = None, limit: Limit = 200, review: bool | None = None
    ) -> pages.Page[staff_bodies.ListedCapture]:
        scope = access.within(who, campaign_id)
        async with unit() as work:
            found = await work.reports.captures(ids.CampaignId(campaign_id), scope, after, limit, review=review)
        return shape.page(staff_bodies.ListedCapture, found, limit)

    @doors.get("/campaigns/{campaign_id}/photos")
    async def accepted(
        campaign_id: UUID, who: Reader, after: UUID | None = None, limit: Limit = 200
    ) -> pages.Page[staff_bodies.AcceptedPhoto]:
        scope = access.within(who, campaign_id)
        async with unit() as work:
            found = await work.reports.photos(ids.CampaignId(campaign_id), scope, after, limit)
        return shape.page(staff_bodies.AcceptedPhoto, found, limit)

    @doors.get("/campaigns/{campaign_id}/missing")
    async def missing(
        campaign_id: UUID,
        who: Reader,
        class_id: UUID | None = None,
        after: UUID | None = None,
        limit: Limit = 200,
    ) -> pages.Page[staff_bodies.MissingStudent]:
        scope = access.within(who, campaign_id)
        of_class = None if class_id is None else ids.ClassId(class_id)
        async with unit() as work:
            found = await work.reports.missing(ids.CampaignId(campaign_id), scope, of_class, after, limit)
        return shape.page(staff_bodies.MissingStudent, found, limit)

    @doors.get("/students/{student_id}/captures")
    async def of_student(
        student_id: UUID, who: Reader, after: UUID | None = None, limit: Limit = 200
    ) -> pages.Page[staff_bodies.ListedCapture]:
        async with unit() as work:
            student = await access.require_student(work, who, student_id)
            scope = access.within(who, student.campaign_id)
            found = await work.reports.of_student(student.student_id, scope, after, limit)
        return shape.page(staff_bodies.ListedCapture, found, limit)

    @doors.get("/students/{student_id}/history")
    async def history(student_id: UUID, who: Reader) -> staff_bodies.StudentHistory:
        async with unit() as work:
            student = await access.require_student(work, who, student_id)
            await access.note_look(work, who, student_id, "student")
            let_in = await work.reports.let_in(student.student_id)
            said = await work.consents.of_student(student.student_id)
        holds = consents.in_force(said)
        return staff_bodies.StudentHistory(
            let_in=[
                staff_bodies.LetInLine(**{name: row[name] for name in staff_bodies.LetInLine.model_fields})
                for row in let_in
            ],
            consents=[_consent_line(one) for one in said],
            consent_in_force=holds.consent_id if holds else None,
        )


def _consent_line(one: consents.Consent) -> staff_bodies.ConsentLine:
    words = messages.catalogue().get(f"face-consent-{one.text}")
    known = words is not None and consents.digest_of(words.zh, words.en) == one.text_sha256
    return staff_bodies.ConsentLine(
        consent_id=one.consent_id,
        given=one.given,
        text=one.text,
        text_sha256=one.text_sha256,
        text_zh=words.zh if words and known else None,
        text_en=words.en if words and known else None,
        at=one.at,
        desk_id=one.desk_id,
        station_id=one.station_id,
        document=consents.document(one),
        signature=one.signature,
    )


def _add_captures(doors: APIRouter, unit: ports.Unit, objects: ports.Objects, clock: clocks.Clock) -> None:
    @doors.get("/captures/{capture_id}")
    async def capture(capture_id: UUID, who: Reader) -> staff_bodies.CaptureWithHistory:
        async with unit() as work:
            await _seen_by(work, who, capture_id)
            found = await work.reports.capture(ids.CaptureId(capture_id))
            await access.note_look(work, who, capture_id, "history")
            history = await work.reports.history(ids.CaptureId(capture_id))
            derivatives = await work.reports.derivatives(ids.CaptureId(capture_id))
        return staff_bodies.CaptureWithHistory(
            capture=staff_bodies.ListedCapture(**found),
            history=shape.rows(staff_bodies.HistoryLine, history),
            derivatives=shape.rows(staff_bodies.Derivative, derivatives),
        )

    @doors.get("/captures/{capture_id}/image")
    async def image(
        capture_id: UUID, who: Reader, kind: Literal["photo", "original"] = "photo"
    ) -> staff_bodies.ImageAddress:
        async with unit() as work:
            photo = await _seen_by(work, who, capture_id)
            key = photo.photo_key if kind == "photo" else photo.original_key
            if key is None:
                raise errors.NotFound("photo-not-composed")
            await access.note_look(work, who, photo.shot.capture_id, kind)
        expires_at = clock.now() + timedelta(seconds=IMAGE_S)
        return staff_bodies.ImageAddress(url=await objects.presign_get(key, IMAGE_S), expires_at=expires_at)


def _add_binding(doors: APIRouter, unit: ports.Unit) -> None:
    @doors.post("/captures/{capture_id}/rebind")
    async def rebind(capture_id: UUID, body: binding_bodies.Rebinding, who: Binder) -> binding_bodies.Bound:
        move = binding_bodies.Move(
            capture_id=capture_id, student_id=body.student_id, from_student_id=body.from_student_id
        )
        return (await rebind_many(binding_bodies.Rebindings(moves=[move], reason=body.reason), who))[0]

    @doors.post("/rebindings")
    async def rebind_many(body: binding_bodies.Rebindings, who: Binder) -> list[binding_bodies.Bound]:
        moves = {
            ids.CaptureId(move.capture_id): binding.Move(
                ids.StudentId(move.student_id), ids.StudentId(move.from_student_id)
            )
            for move in body.moves
        }
        async with unit() as work:
            for capture_id, move in moves.items():
                await _seen_by(work, who, capture_id)
                await access.require_student(work, who, move.student_id)
            moved = await binding.rebind_photos(work, moves, binding.Act(who.sub, who.role, body.reason))
        return [_bound(photo) for photo in moved]

    @doors.post("/captures/{capture_id}/withdraw")
    async def withdraw(capture_id: UUID, body: binding_bodies.Withdrawal, who: Binder) -> binding_bodies.Bound:
        async with unit() as work:
            await _seen_by(work, who, capture_id)
            act = binding.Act(who.sub, who.role, body.reason)
            return _bound(await binding.withdraw_photo(work, ids.CaptureId(capture_id), act))

    @doors.post("/captures/{capture_id}/reinstate")
    async def reinstate(capture_id: UUID, body: binding_bodies.Reinstatement, who: Binder) -> binding_bodies.Bound:
        holder = None if body.student_id is None else ids.StudentId(body.student_id)
        async with unit() as work:
            await _seen_by(work, who, capture_id)
            if holder is not None:
                await access.require_student(work, who, holder)
            act = binding.Act(who.sub, who.role, body.reason)
            return _bound(await binding.reinstate_photo(work, ids.CaptureId(capture_id), act, holder))

    @doors.post("/captures/{capture_id}/inspect-again")
    async def inspect_again(capture_id: UUID, body: binding_bodies.Withdrawal, who: Binder) -> binding_bodies.Bound:
        async with unit() as work:
            await _seen_by(work, who, capture_id)
            act = binding.Act(who.sub, who.role, body.reason)
            return _bound(await binding.inspect_again(work, ids.CaptureId(capture_id), act))


async def _seen_by(work: ports.Work, who: auth.Principal, capture_id: UUID) -> photos.Photo:
    photo = await work.photos.get(ids.CaptureId(capture_id))
    if photo is None:
        raise errors.NotFound("capture-not-known")
    await access.require_photo(work, who, photo)
    return photo


def _bound(photo: photos.Photo) -> binding_bodies.Bound:
    return binding_bodies.Bound(
        capture_id=photo.shot.capture_id, state=photo.state, student_id=photo.student_id, version=photo.version
    )
