"""What verify is told at its start."""

from kit import settings


class Settings(settings.WordsSettings):
    """What every service is told, and the key of what CHSI's staff wrote; the object store's URL is needed here."""
