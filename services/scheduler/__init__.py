"""Scheduler: groups and desks, windows, the plan of the day, order codes, delays, and who missed it."""
