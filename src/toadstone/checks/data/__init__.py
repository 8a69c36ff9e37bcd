"""Checks of data sets: one file a flaw."""
