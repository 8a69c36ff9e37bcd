"""Verbs: one public call each, each a short module that reads as the story of its flow."""
