"""Verify's program: `python -m services.verify serve | migrate`."""

from kit import process
from services.verify import app, settings

if __name__ == "__main__":
    process.main("verify", settings.Settings, app.build)
