"""CHSI's result files over HTTP: csv or xlsx, all rows or none."""

import asyncio
import hashlib
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, UploadFile
from pydantic import BaseModel

from kit import auth, web
from services.verify.api import access, sheet
from services.verify.handlers import results
from services.verify.ports import Unit

Writer = Annotated[auth.Principal, Depends(web.principal("verify.write"))]


class ResultsAnswer(BaseModel):
    """What a file did. A file with any fault does nothing: it is answered with 422 and the faults, row by row."""

    rows: int
    published: int
    refused: int
    unchanged: int
    errors: list[dict[str, Any]]


def router(unit: Unit) -> APIRouter:
    """Take a result file."""
    doors = APIRouter(tags=["results"])

    @doors.post("/campaigns/{campaign_id}/results")
    async def take_results(campaign_id: UUID, file: UploadFile, who: Writer) -> ResultsAnswer:
        campaign = access.whole(who, campaign_id)
        data = await file.read()
        verdicts = await asyncio.to_thread(sheet.read, data)
        async with unit() as work:
            taken = await results.take_results(work, campaign, hashlib.sha256(data).hexdigest(), verdicts)
        return ResultsAnswer(
            rows=taken.rows, published=taken.published, refused=taken.refused, unchanged=taken.unchanged, errors=[]
        )

    return doors
