"""Portraits and profiles that the photo standard's tests share."""

import os
from pathlib import Path

import pytest

from photospec import inspection, profiles
from station.cameras import portraits

FACES = Path(os.environ.get("GRADPHOTO_FACES", Path(__file__).parents[3] / "../shared/faces"))
NO_FACES = "real portraits may not be part of the project: name a folder of them in GRADPHOTO_FACES"


@pytest.fixture(scope="session")
def blue() -> profiles.Profile:
    """The profile that campaigns use unless they say otherwise."""
    return profiles.load("chsi-2017-99")


@pytest.fixture(scope="session")
def white() -> profiles.Profile:
    """The same standard before a white backdrop."""
    return profiles.load("chsi-2017-99-white")


@pytest.fixture(scope="session")
def portrait() -> bytes:
    """One drawn portrait without a flaw."""
    return portraits.draw(7)


@pytest.fixture(scope="session")
def portrait_report(portrait: bytes, blue: profiles.Profile) -> inspection.Report:
    """What inspection says about it."""
    return inspection.inspect(portrait, blue)


@pytest.fixture(scope="session")
def neutral_faces() -> list[Path]:
    """Real neutral portraits, which are read in place and never committed."""
    found = sorted(FACES.glob("london_*_neutral.jpg"))
    if not found:
        pytest.skip(NO_FACES)
    return found


@pytest.fixture(scope="session")
def smiling_faces(neutral_faces: list[Path]) -> list[Path]:
    """Real portraits with teeth showing."""
    shown = ("002", "004", "009", "025", "030", "036", "119")
    return [neutral_faces[0].with_name(f"london_{number}_smiling.jpg") for number in shown]
