"""An override at the agent's door: a role that may, and a reason, or nothing happens."""

from typing import Any, get_args
from uuid import uuid4

import pytest
from pydantic import ValidationError

from services.capture.domain import photos
from station.api import bodies
from station.console import door
from station.domain import facts


@pytest.mark.parametrize("role", ["operator", "", "photographer", "student"])
def test_a_role_that_may_not_is_refused_at_the_door(role: str) -> None:
    """Whoever is none of those who may decide is no role at all, for an override and for letting somebody in."""
    told: dict[str, Any] = {"capture_id": uuid4(), "decision": "override", "reason": "glare", "role": role}
    with pytest.raises(ValidationError):
        bodies.Decision(**told)
    with pytest.raises(ValidationError):
        door.LetIn(turned_away=uuid4(), reason="moved", role=role)


@pytest.mark.parametrize("role", get_args(facts.Role))
def test_every_role_that_may_is_one_for_the_server_too(role: facts.Role) -> None:
    """Control: desk and server know the same roles."""
    bodies.Decision(capture_id=uuid4(), decision="override", reason="glare", role=role)
    assert role in get_args(photos.Role)
