"""Capture's program: `python -m services.capture serve | migrate`."""

from kit import process
from services.capture import app, settings

if __name__ == "__main__":
    process.main("capture", settings.Settings, app.build)
