"""Writes the pages of ``docs/`` that are made from the code: one a check, the command line, the formats."""
