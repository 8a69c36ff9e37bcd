"""Flaws of model files, code and configuration that travel with models."""
