"""Addresses hidden behind stages of encoding, in every host format: makes the files whose truth is known."""
