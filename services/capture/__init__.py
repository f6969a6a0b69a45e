"""Capture: stations, check-ins, originals, verdicts, and which photo is whose."""
