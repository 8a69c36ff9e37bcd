"""Measurements on data sets: where the data come from, whether attacks work, what is found, how fast."""
