"""Who looked at a photo or at what is kept of a student, for those who watch over it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from gradphoto_contracts import ids
from kit import auth, errors, pages, web
from services.capture import ports
from services.capture.api import access
from services.capture.api.bodies import shape
from services.capture.api.bodies import views as views_bodies

Watcher = Annotated[auth.Principal, Depends(web.principal("ops.read"))]
After = Annotated[int, Query(ge=0, le=shape.LARGEST)]
Limit = Annotated[int, Query(ge=1, le=1000)]


def router(unit: ports.Unit) -> APIRouter:
    """Looks, oldest first. Lists of ids leave none: only what shows a picture or somebody's words does."""
    doors = APIRouter(tags=["views"])

    @doors.get("/captures/{capture_id}/views")
    async def of_capture(
        capture_id: UUID, who: Watcher, after: After = 0, limit: Limit = 200
    ) -> pages.Page[views_bodies.Look]:
        async with unit() as work:
            photo = await work.photos.get(ids.CaptureId(capture_id))
            if photo is None:
                raise errors.NotFound("capture-not-known")
            await access.require_photo(work, who, photo)
            found = await work.views.of_capture(photo.shot.capture_id, after, limit)
        return shape.page(views_bodies.Look, found, limit)

    @doors.get("/students/{student_id}/views")
    async def of_student(
        student_id: UUID, who: Watcher, after: After = 0, limit: Limit = 200
    ) -> pages.Page[views_bodies.Look]:
        async with unit() as work:
            student = await access.require_student(work, who, student_id)
            found = await work.views.of_student(student.student_id, after, limit)
        return shape.page(views_bodies.Look, found, limit)

    return doors
