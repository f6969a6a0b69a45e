"""Drawn-up rosters: students who belong to nobody, campaigns of no school."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from gradphoto_contracts import ids, policy
from gradphoto_contracts import roster as says
from services.roster.domain import campaigns, documents, sheets

HEADERS = ["学号", "姓名", "性别", "身份证号", "学院", "班级", "校区", "培养层次", "学生类别"]


def a_policy(mode: policy.IdentityMode = "capture_code", *, late_eligible: bool = False) -> policy.Policy:
    """A policy with the cohorts 应届 (photographed) and 延期 (not, unless told)."""
    return policy.Policy(
        identity_mode=mode,
        cohorts=(
            policy.Cohort(code="fresh", title_zh="应届", title_en="graduating"),
            policy.Cohort(code="late", title_zh="延期", title_en="delayed", eligible=late_eligible),
        ),
        fee=policy.FeePolicy(mode="cash_on_site", amount_fen=1500),
        chsi=policy.ChsiPolicy(proofreading=policy.Window(opens_after_days=40, lasts_days=60), silence="no_effect"),
        makeup=policy.MakeupPolicy(mode="none"),
    )


def a_campaign() -> campaigns.Campaign:
    """A campaign with the campuses 北校区 (N) and 南校区 (S)."""
    named = (("N", "北校区"), ("S", "南校区"))
    return campaigns.Campaign(
        campaign_id=ids.CampaignId(UUID(int=1)),
        code="2030",
        title_zh="某大学2030届",
        school_code="10999",
        graduation_year=2030,
        campuses=tuple(
            says.Campus(campus_id=ids.CampusId(UUID(int=10 + at)), code=code, name_zh=name)
            for at, (code, name) in enumerate(named)
        ),
        policy=a_policy(),
    )


def id_number(number: int, area: str = "610404") -> str:
    """A number with a right check character; another one for each `number` below 336,000."""
    first = f"{area}1999{number // 28 % 12 + 1:02}{number % 28 + 1:02}{number // 336:03}"
    return first + documents.check_character(first)


def a_row(number: int, **changed: Any) -> list[Any]:
    """A good row; Chinese headers as keyword replace its cells."""
    document = id_number(number)
    cells: dict[str, Any] = {
        "学号": f"2026{number:06}",
        "姓名": "张三",
        "性别": documents.sex_of("居民身份证", document),
        "身份证号": document,
        "学院": f"学院{number // 2000}",
        "班级": f"班{number // 50:04}",
        "校区": "北校区",
        "培养层次": "本科",
        "学生类别": "应届",
    }
    return list((cells | changed).values())


def a_sheet(rows: Sequence[Sequence[Any]], headers: Sequence[str] = HEADERS) -> sheets.Sheet:
    return sheets.Sheet([list(headers), *rows])
