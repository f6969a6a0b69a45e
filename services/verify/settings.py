"""What verify is told at its start."""

from kit import settings


class Settings(settings.ServiceSettings):
    """What every service is told; the object store's URL is needed here."""
