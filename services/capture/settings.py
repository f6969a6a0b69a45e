"""What capture is told at its start."""

from pydantic import Field

from kit import settings


class Settings(settings.WordsSettings):
    """Besides what every service is told: the master of code digests, the inspectors, when a station is lost."""

    code_key: settings.MasterKey
    #: Photos inspected at once; 0 means one a core. A process that shall not inspect is given -1.
    inspectors: int = Field(default=0, ge=-1)
    #: For how long an original is held under object lock, where the store has it.
    originals_held_days: int = Field(default=400, ge=1)
    #: An open campaign's objects are audited when that has not been done for so long; 0: only when asked for.
    audit_every_hours: float = Field(default=24.0, ge=0)
    #: Real seconds: whether a laptop is on does not hang on a simulated clock.
    station_lost_after_s: float = Field(default=60.0, gt=0)
