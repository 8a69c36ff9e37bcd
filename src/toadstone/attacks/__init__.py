"""Poison whose truth is known: one file an attack."""
