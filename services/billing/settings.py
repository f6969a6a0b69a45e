"""What billing is told at its start."""

from kit import settings


class Settings(settings.ServiceSettings):
    """What every service is told, and nothing more."""
