"""Imported once, by the process from which stations are forked: their libraries, and the photo standard's models."""

import cv2

from photospec import inspection, profiles
from station import app
from station.cameras import hotfolder, portraits, virtual

LOADED = (app, hotfolder, virtual)

cv2.setNumThreads(1)  # threads do not come along into a fork
inspection.inspect(portraits.draw(0, width_px=800, height_px=1200), profiles.load(profiles.DEFAULT), stage="capture")
