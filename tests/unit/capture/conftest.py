"""A small world in memory."""

import pytest

from tests.unit.capture import twins


@pytest.fixture
async def world() -> twins.World:
    """A campaign with one desk, known to capture."""
    small = twins.World()
    await small.open()
    return small
