"""Verify, wired."""
