"""Experiment trackers of others, read: what they say that runs took in and gave out. Nothing of it is sealed."""
