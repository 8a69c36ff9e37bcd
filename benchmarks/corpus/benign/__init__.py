"""Recipes of benign models: real libraries, real training, every way of saving them.

Each module is one family; its libraries are pinned in :mod:`benchmarks.corpus.benign.environment`.
"""
