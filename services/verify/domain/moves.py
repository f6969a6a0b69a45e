"""How a case moves: each step gives it its version and its deadline, and says what happened."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from gradphoto_contracts import verify
from gradphoto_contracts.envelope import Event
from services.verify.domain import clocks, copies, journey


def step(
    before: journey.Case, after: journey.Case, campaign: copies.Campaign | None, *events: type[Event], **extra: Any
) -> journey.Step:
    """Give `after` its version and its deadline, and build the events that tell of it.

    Each event takes from `extra` what it declares.
    """
    deadline, due_at = clocks.due(after, campaign)
    after = replace(after, deadline=deadline, due_at=due_at)
    if after == before:
        return journey.Step(before, before)
    said = []
    for event in events:
        after = replace(after, version=after.version + 1)
        fields = {name: value for name, value in extra.items() if name in event.model_fields}
        said.append(event(**after.told(), **fields))
    if not events:
        after = replace(after, version=after.version + 1)
    return journey.Step(before, after, tuple(said))


def open_dispute(
    case: journey.Case,
    cause: journey.Cause,
    now: datetime,
    campaign: copies.Campaign,
    before: journey.Case | None = None,
) -> journey.Step:
    after = replace(case, state="disputed", cause=cause, disputed_at=now, escalated=False, outcome="disputed")
    _, due_at = clocks.due(after, campaign)
    after_owner = clocks.OWNERS["recheck"]
    return step(before or case, after, campaign, verify.PhotoDisputedV1, cause=cause, due_at=due_at, owner=after_owner)
