"""Indicators: pull them out of text and bytes, recognise what text asks for."""
