"""Scheduler's program: `python -m services.scheduler serve | migrate`."""

from kit import process
from services.scheduler import app, settings

if __name__ == "__main__":
    process.main("scheduler", settings.Settings, app.build)
