"""Faces: how people and programs meet the product."""
