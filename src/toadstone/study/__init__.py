"""A data set under examination: its views, its labels, and the evidence that checks give on it."""
