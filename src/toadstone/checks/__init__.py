"""Checks: one file a flaw, found automatically."""
