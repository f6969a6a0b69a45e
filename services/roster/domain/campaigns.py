"""A campaign (批次): one school's capture of one graduation year, under one policy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from gradphoto_contracts import ids
from gradphoto_contracts import policy as policies
from gradphoto_contracts import roster as says


@dataclass(frozen=True)
class Campaign:
    """A campaign as roster knows it. `roster_revision` grows with each change to its classes or students."""

    campaign_id: ids.CampaignId
    code: str
    title_zh: str
    school_code: str
    graduation_year: int
    campuses: tuple[says.Campus, ...]
    policy: policies.Policy
    state: Literal["open", "closed"] = "open"
    version: int = 1
    roster_revision: int = 0

    def says_the_same(self, other: "Campaign") -> bool:
        """Whether `other` opens the same campaign: all that a registrar wrote is equal."""
        return self._written() == other._written()

    def _written(self) -> tuple[object, ...]:
        campuses = tuple(sorted((campus.code, campus.name_zh) for campus in self.campuses))
        return self.code, self.title_zh, self.school_code, self.graduation_year, campuses, self.policy

    def cohort_named(self, text: str) -> policies.Cohort | None:
        """The cohort with this code or Chinese title."""
        return next((cohort for cohort in self.policy.cohorts if text in (cohort.code, cohort.title_zh)), None)

    def campus_named(self, text: str) -> says.Campus | None:
        """The campus with this code or Chinese name."""
        return next((campus for campus in self.campuses if text in (campus.code, campus.name_zh)), None)


def number_campuses(named: Sequence[tuple[str, str]], new_ids: Sequence[UUID]) -> tuple[says.Campus, ...]:
    """Give each (code, name) an id, in order."""
    return tuple(
        says.Campus(campus_id=ids.CampusId(new_id), code=code, name_zh=name_zh)
        for (code, name_zh), new_id in zip(named, new_ids, strict=True)
    )


def repeated_codes(named: Sequence[tuple[str, str]]) -> str | None:
    """A campus code that stands twice, if any."""
    codes = [code for code, _ in named]
    return next((code for code in codes if codes.count(code) > 1), None)


def opened(campaign: Campaign) -> says.CampaignOpenedV1:
    return says.CampaignOpenedV1.model_validate(_state(campaign))


def with_policy(campaign: Campaign, new: policies.Policy) -> Campaign:
    """The campaign under another policy; the same one when nothing differs."""
    return campaign if campaign.policy == new else replace(campaign, policy=new, version=campaign.version + 1)


def changed(campaign: Campaign) -> says.CampaignChangedV1:
    return says.CampaignChangedV1.model_validate(_state(campaign))


def close(campaign: Campaign) -> tuple[Campaign, says.CampaignClosedV1]:
    """Close an open campaign: it takes no more changes."""
    closed = replace(campaign, state="closed", version=campaign.version + 1)
    return closed, says.CampaignClosedV1(campaign_id=closed.campaign_id, version=closed.version)


def _state(campaign: Campaign) -> dict[str, object]:
    return {
        "campaign_id": campaign.campaign_id,
        "version": campaign.version,
        "code": campaign.code,
        "title_zh": campaign.title_zh,
        "school_code": campaign.school_code,
        "graduation_year": campaign.graduation_year,
        "campuses": campaign.campuses,
        "policy": campaign.policy,
    }
