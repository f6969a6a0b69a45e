"""Roster's program: `python -m services.roster serve | migrate`."""

from kit import process
from services.roster import app, settings

if __name__ == "__main__":
    process.main("roster", settings.Settings, app.build)
