"""Roster: campaigns, classes, students and the vault of who they are."""
