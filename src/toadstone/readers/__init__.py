"""Readers: hostile bytes to facts, one module a format. Total functions: they never raise for what they read."""
