"""What scheduler is told at its start."""

from kit import settings


class Settings(settings.ServiceSettings):
    """What every service is told; scheduler needs no more."""
