"""What the people of a university do in the course of a campaign, through the doors that they have."""

import asyncio
import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from cli import scenario as scenarios
from cli.demo import doors, population
from cli.stack.stack import Stack

_CODES_AT_ONCE = 500
_DRAFTS = 60
_DRAFT_AGAIN_S = 1.0


class School:
    """The registrar, secretaries, cashier and students of one campaign."""

    def __init__(self, stack: Stack, scenario: scenarios.Scenario, heal: Any) -> None:
        self.stack = stack
        self.scenario = scenario
        self._heal = heal
        roles = {"roster": "registrar", "scheduler": "registrar", "capture": "crew_lead", "billing": "cashier"}
        self.doors = {name: self._door(name, role) for name, role in roles.items()}
        self.doors["verify"] = self._door("verify", "registrar")
        self.campaign_id = ""
        self.ids: dict[str, str] = {}

    def _door(self, service: str, role: str) -> doors.Door:
        return doors.Door(lambda: self.stack.url(service), lambda: f"Bearer {self.stack.token(role)}", self._heal)

    def student_door(self, student_id: str) -> doors.Door:
        """The door as this student has it: no other student can be named through it."""

        def token() -> str:
            return self.stack.token("student", subject=student_id, student=[student_id], hours=0.5)

        return doors.Door(lambda: self.stack.url("verify"), lambda: f"Bearer {token()}", self._heal)

    async def close(self) -> None:
        await asyncio.gather(*(door.close() for door in self.doors.values()))

    # -- before the day

    async def open_campaign(self) -> None:
        """Open the campaign with the notice's policy."""
        told = self.scenario.campaign.model_dump()
        campuses = [c.model_dump() for c in self.scenario.campuses]
        policy = self.scenario.policy.model_dump(mode="json")
        answer = await self.doors["roster"].post("/v1/campaigns", {**told, "campuses": campuses, "policy": policy})
        self.campaign_id = answer["campaign_id"]

    async def import_roster(self, workbook: Path) -> dict[str, Any]:
        """Upload the workbook, look at the preview, apply it; the preview is returned."""
        door = self.doors["roster"]
        preview: dict[str, Any] = await door.upload(f"/v1/campaigns/{self.campaign_id}/imports", workbook)
        if preview["errors"]:
            raise RuntimeError(f"名单有误 the roster was refused: {preview['errors'][:3]}")
        await door.post(f"/v1/imports/{preview['import_id']}/apply")
        return preview

    async def learn_ids(self) -> None:
        """学号 → student id, as the registrar's list shows it."""
        rows = self.doors["roster"].pages(f"/v1/campaigns/{self.campaign_id}/students")
        self.ids = {row["student_no"]: row["student_id"] async for row in rows}

    async def register_codes(self, students: Sequence[population.Student]) -> int:
        """Students register their 采集码 beforehand; in the legacy modes there is nothing to do."""
        if self.scenario.policy.identity_mode != "capture_code":
            return 0
        for start in range(0, len(students), _CODES_AT_ONCE):
            some = students[start : start + _CODES_AT_ONCE]
            codes = [{"student_no": s.student_no, "payload": s.scan} for s in some]
            answer = await self.doors["roster"].post(f"/v1/campaigns/{self.campaign_id}/codes", {"codes": codes})
            refused = [row for row in answer["items"] if row["outcome"] == "refused"]
            if refused:
                raise RuntimeError(f"采集码被拒 codes refused: {refused[:2]}")
        return len(students)

    async def publish_plan(self, labels: Iterable[str]) -> dict[str, Any]:
        """Draft the plan for the classes that play, and publish it once the draft has no errors."""
        draft = await self._draft(self._plan(set(labels)))
        door = self.doors["scheduler"]
        await door.post(f"/v1/plans/{draft['plan_id']}/publish")
        plan: dict[str, Any] = await door.get(f"/v1/campaigns/{self.campaign_id}/plan")
        return plan

    async def _draft(self, plan: dict[str, Any]) -> dict[str, Any]:
        """Classes reach scheduler by events: a draft made too early calls them unknown, and is made again."""
        errors: list[Any] = []
        for _ in range(_DRAFTS):
            try:
                draft = await self.doors["scheduler"].post(f"/v1/campaigns/{self.campaign_id}/plans", plan)
            except doors.Refused as refused:
                errors = [refused]
            else:
                errors = [finding for finding in draft["findings"] if finding["severity"] == "error"]
                if not errors:
                    return dict(draft)
            await asyncio.sleep(_DRAFT_AGAIN_S)
        raise RuntimeError(f"计划有误 the plan has errors: {errors[:3]}")

    def _plan(self, playing: set[str]) -> dict[str, Any]:
        groups = [{**g.model_dump(exclude={"campus"}), "campus_code": g.campus} for g in self.scenario.groups]
        return {
            "groups": groups,
            "windows": [told for window in self.scenario.windows if (told := self._window(window, playing))],
        }

    def _window(self, window: scenarios.Window, playing: set[str]) -> dict[str, Any] | None:
        times = {"starts_at": window.starts_at.isoformat(), "ends_at": window.ends_at.isoformat()}
        if window.delegated_zh:
            return {"group": window.group, **times, "delegated_zh": window.delegated_zh}
        classes = [c.model_dump() for c in window.school_classes() if c.label in playing]
        return {"group": window.group, **times, "classes": classes} if classes else None

    # -- on the day

    async def find_student(self, student_no: str) -> str:
        """The registrar finds who forgot the code by 学号."""
        answer = await self.doors["roster"].post(
            f"/v1/campaigns/{self.campaign_id}/resolve", {"student_nos": [student_no]}
        )
        return str(answer["items"][0]["student_id"])

    async def add_walk_in(self, student: population.Student) -> str:
        """A student whom the roster does not know is added by hand, with the code."""
        answer = await self.doors["roster"].post(f"/v1/campaigns/{self.campaign_id}/students", {"row": student.row()})
        self.ids[student.student_no] = answer["student_id"]
        await self.register_codes([student])
        return str(answer["student_id"])

    # -- money

    async def pay(self, kind: str, ref: str, heads: int, method: str) -> str:
        """Pay for so many heads; an answer that is lost cannot charge twice, since the payment has its own id."""
        payment_id = str(uuid4())
        amount = heads * self.scenario.policy.fee.amount_fen
        payment = {"payment_id": payment_id, "campaign_id": self.campaign_id, "payer": {"kind": kind, "ref": ref}}
        body = {**payment, "method": method, "heads": heads, "amount_fen": amount}
        await self.doors["billing"].post_once_known("/v1/payments", body, "billing-payer-unknown")
        return payment_id

    async def buy_vouchers(self, college: str, heads: int) -> None:
        """The secretary pays by heads beforehand and takes one 拍照凭证 a head."""
        payment_id = await self.pay("college", college, heads, "transfer")
        payer = {"kind": "college", "ref": college}
        body = {"payment_id": payment_id, "payer": payer, "heads": heads}
        await self.doors["billing"].post(f"/v1/campaigns/{self.campaign_id}/vouchers", body)

    async def refund(self, kind: str, ref: str, heads: int) -> None:
        """Give back what was paid for students who were not photographed."""
        amount = heads * self.scenario.policy.fee.amount_fen
        body = {"refund_id": str(uuid4()), "campaign_id": self.campaign_id, "payer": {"kind": kind, "ref": ref}}
        await self.doors["billing"].post("/v1/refunds", {**body, "heads": heads, "amount_fen": amount})

    async def write_receipts(self) -> None:
        """One receipt for all payments that have none; there may be none left."""
        try:
            await self.doors["billing"].post(f"/v1/campaigns/{self.campaign_id}/receipts")
        except doors.Refused as refused:
            if refused.code != "billing-nothing-to-receipt":
                raise

    # -- CHSI

    async def deliver(self, photos: int) -> list[dict[str, Any]]:
        """Deliver until so many photos are delivered: verify hears of some later than the school does. The batches."""
        path = f"/v1/campaigns/{self.campaign_id}/batches"
        async for _ in doors.tries(self._heal):
            try:
                await self.doors["verify"].post(path)
            except doors.Refused as refused:
                if refused.code != "verify-nothing-to-deliver":
                    raise
            batches: list[dict[str, Any]] = (await self.doors["verify"].get(path))["items"]
            if sum(batch["photos"] for batch in batches if batch["state"] == "delivered") >= photos:
                return batches
        raise RuntimeError(f"未能交付全部照片 not all of {photos} photos could be delivered")

    async def take_results(self, folder: Path, name: str, rows: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
        """Hand verify a CHSI result file: (图像编号, 结果, 原因) a row."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(("图像编号", "结果", "原因"))
        writer.writerows(rows)
        file = folder / name
        file.write_text(text.getvalue(), "utf-8-sig")
        answer: dict[str, Any] = await self.doors["verify"].upload(f"/v1/campaigns/{self.campaign_id}/results", file)
        return answer

    async def answer_as_student(self, student_id: str, what: str, **more: Any) -> None:
        """The student says 正确 (`confirmation`) or 有误 (`dispute`) with a token of their own."""
        door = self.student_door(student_id)
        try:
            await door.post(f"/v1/students/{student_id}/{what}", {"campaign_id": self.campaign_id, **more})
        except doors.Refused as refused:
            # Where there is one chance to answer, an answer whose receipt was lost has used it.
            if refused.code != "verify-one-chance-used" or not door.retries:
                raise
        finally:
            await door.close()

    async def correct(self, student_id: str) -> None:
        """The registrar closes a dispute: CHSI shows the right picture now."""
        await self.doors["verify"].post(f"/v1/students/{student_id}/correction", {"campaign_id": self.campaign_id})

    async def book_makeup(self, student_id: str, place: str) -> None:
        body = {"campaign_id": self.campaign_id, "place_zh": place}
        await self.doors["verify"].post(f"/v1/students/{student_id}/makeup", body)

    async def finish_makeup(self, student_id: str) -> None:
        body = {"campaign_id": self.campaign_id}
        await self.doors["verify"].put(f"/v1/students/{student_id}/makeup/done", body)
