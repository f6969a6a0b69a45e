"""Billing's program: `python -m services.billing serve | migrate`."""

from kit import process
from services.billing import app, settings

if __name__ == "__main__":
    process.main("billing", settings.Settings, app.build)
