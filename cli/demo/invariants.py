"""What must be true when the campaign is over, checked from outside: over HTTP, S3 and the event stream."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cli.demo import doors
from cli.demo.day import Truth
from cli.demo.desks import Fleet
from cli.demo.money import Purse
from cli.demo.population import Student
from cli.demo.school import School
from cli.demo.subscriber import Subscriber
from kit import errors, objects

T = TypeVar("T")

#: A case in one of these states needs nothing more from anybody.
FINAL = {"confirmed", "corrected", "defaulted", "makeup_done", "makeup_expired", "no_makeup", "not_eligible"}


@dataclass(frozen=True)
class Finding:
    """One invariant: what it says, what was counted, and what broke it (at most a few lines)."""

    name: str
    zh: str
    en: str
    checked: int
    violations: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.violations


@dataclass(frozen=True)
class Store:
    """The object store as an outsider reads it, over a restart of it."""

    objects: objects.Objects
    heal: Callable[[], None]

    async def keys(self, prefix: str) -> set[str]:
        async def listed() -> set[str]:
            return {key async for key in self.objects.list(prefix)}

        return await self._surely(listed)

    async def get(self, key: str) -> bytes:
        return await self._surely(lambda: self.objects.get(key))

    async def _surely(self, act: Callable[[], Awaitable[T]]) -> T:
        async for _ in doors.tries(self.heal):
            try:
                return await act()
            except errors.Unavailable:
                continue
        raise doors.Unreachable("S3")


@dataclass
class Inspector:
    """Everything that an outsider may look at."""

    people: School
    fleet: Fleet
    truth: Truth
    purse: Purse
    subscriber: Subscriber
    store: Store
    students: dict[str, Student]
    photos: list[dict[str, Any]] = field(default_factory=list)
    cases: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def inspect(self) -> list[Finding]:
        """All invariants, in the order of the student's way."""
        await self._look()
        return [
            await self._everyone_accounted_for(),
            await self._frames_in_store(),
            self._photo_of_the_right_student(),
            await self._paid_equals_photographed(),
            await self._deadlines_have_outcomes(),
            self._events_once_in_order(),
            self._events_agree(),
        ]

    async def stream_tells_all(self) -> bool:
        """Whether what the stream has told by now is what the doors tell: some of it may be on its way."""
        await self._look()
        return self._events_agree().holds

    async def _look(self) -> None:
        cid = self.people.campaign_id
        self.photos = [p async for p in self.people.doors["capture"].pages(f"/v1/campaigns/{cid}/photos")]
        cases = self.people.doors["verify"].pages(f"/v1/campaigns/{cid}/cases")
        self.cases = {case["student_id"]: case async for case in cases}

    async def _everyone_accounted_for(self) -> Finding:
        cid = self.people.campaign_id
        rows = [row async for row in self.people.doors["roster"].pages(f"/v1/campaigns/{cid}/students")]
        wrong = [f"名单 {len(rows)} 人，应为 {len(self.students)} 人"] if len(rows) != len(self.students) else []
        for row in filter(lambda row: row["eligible"], rows):
            state = self.cases.get(row["student_id"], {}).get("state", "无记录 no case")
            if state not in FINAL:
                wrong.append(f"{row['student_id']}: {state}")
        return _finding("accounted", "每名学生都有结果", "every enrolled student is accounted for", len(rows), wrong)

    async def _frames_in_store(self) -> Finding:
        journalled = await self.fleet.journals()
        prefix = f"originals/{self.people.campaign_id}/"
        stored = await self.store.keys(prefix)
        wrong = [f"无主对象 orphan {key}" for key in stored - {self._key(row) for row in journalled}]
        async for key, digest in self._hashes(sorted(stored)):
            if not key.endswith(f"{digest}.jpg"):
                wrong.append(f"哈希不符 wrong hash {key}")
        wrong += [f"缺失 missing {row['capture_id']}" for row in journalled if self._key(row) not in stored]
        wrong += [f"重复 twice {c}" for c, n in Counter(r["capture_id"] for r in journalled).items() if n > 1]
        return _finding(
            "stored",
            "每帧入库一次且哈希一致",
            "every journalled frame is stored once, hash-equal",
            len(journalled),
            wrong,
        )

    def _key(self, row: dict[str, Any]) -> str:
        return f"originals/{self.people.campaign_id}/{row['sha256']}.jpg"

    async def _hashes(self, keys: list[str]) -> AsyncIterator[tuple[str, str]]:
        for start in range(0, len(keys), 8):
            some = keys[start : start + 8]
            for key, content in zip(some, await asyncio.gather(*map(self.store.get, some)), strict=True):
                yield key, hashlib.sha256(content).hexdigest()

    def _photo_of_the_right_student(self) -> Finding:
        """The hall's own record of who sat is the yardstick: nothing that the system says is believed here."""
        names = {student_id: number for number, student_id in self.people.ids.items()}
        wrong = [f"一人两照 two photos {s}" for s, n in Counter(p["student_id"] for p in self.photos).items() if n > 1]
        wrong += [
            f"一照两人 one photo twice {h}" for h, n in Counter(p["photo_sha256"] for p in self.photos).items() if n > 1
        ]
        for photo in self.photos:
            if self.truth.sat.get(photo["capture_id"]) != names.get(photo["student_id"]):
                wrong.append(f"照片不是本人 not the person {photo['capture_id']}")
        kept = set(self.truth.kept.values())
        missing = kept - {p["capture_id"] for p in self.photos}
        wrong += [f"已留用而未生效 kept but not in force {capture_id}" for capture_id in missing]
        return _finding(
            "bound", "照片归属正确，一人一照", "no photo on two students, each on its own", len(self.photos), wrong
        )

    async def _paid_equals_photographed(self) -> Finding:
        cid = self.people.campaign_id
        books = await self.people.doors["billing"].get(f"/v1/campaigns/{cid}/reconciliation")
        heads = len(self.truth.kept)
        counts = {
            "在场清点 counted": heads, "采集 capture": len(self.photos), "应收 charged": books["photographed_heads"],
            "已收 paid": books["paid_heads"], "付款人 payers": self.purse.total_paid(),
        }  # fmt: skip
        wrong = [f"{name}: {count} ≠ {heads}" for name, count in counts.items() if count != heads]
        wrong += [f"总账不平 ledger {books['ledger_balance_fen']}"] if books["ledger_balance_fen"] else []
        wrong += [f"差异 discrepancy {row}" for row in books["discrepancies"]]
        return _finding("paid", "缴费人数 = 拍摄人数", "paid heads = photographed heads", heads, wrong)

    async def _deadlines_have_outcomes(self) -> Finding:
        cid = self.people.campaign_id
        deadlines = (await self.people.doors["verify"].get(f"/v1/campaigns/{cid}/deadlines"))["items"]
        wrong = [f"{d['deadline']}: {d['students']} 人无结果 open" for d in deadlines if d["students"]]
        return _finding("deadlines", "每个期限都有结果", "every deadline has an outcome", len(deadlines), wrong)

    def _events_once_in_order(self) -> Finding:
        sub = self.subscriber
        wrong = [f"乱序 disorder {text}" for text in sub.disorders] + [
            f"无法读取 unreadable {t}" for t in sub.unreadable
        ]
        return _finding("events", "事件不重不漏、按人有序", "each event once, in order per key", len(sub.seen), wrong)

    def _events_agree(self) -> Finding:
        """What the stream told must be what the doors tell."""
        told = self.subscriber.types
        accepted = {e["capture_id"] for e in self.subscriber.events.get("capture.photo.accepted.v1", [])}
        gone = {e["capture_id"] for e in self.subscriber.events.get("capture.photo.withdrawn.v1", [])}
        received = {e["capture_id"] for e in self.subscriber.events.get("capture.photo.received.v1", [])}
        pairs = {
            "enrolled": (told["roster.student.enrolled.v1"], len(self.students)),
            "accepted": (len(accepted - gone), len(self.photos)),
            "received": (len(received), len(self.truth.sat)),
            "charged": (told["billing.charge.raised.v1"], len(self.photos)),
        }
        wrong = [f"{name}: 事件 events {said} ≠ {is_}" for name, (said, is_) in pairs.items() if said != is_]
        return _finding("agree", "事件与各服务所述一致", "the stream tells what the doors tell", len(pairs), wrong)


def _finding(name: str, zh: str, en: str, checked: int, wrong: list[str]) -> Finding:
    shown = wrong[:5] + ([f"… 共 {len(wrong)} 条 in all"] if len(wrong) > 5 else [])
    return Finding(name, zh, en, checked, tuple(shown))
