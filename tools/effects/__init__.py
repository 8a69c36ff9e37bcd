"""Derives, from Python sources alone, which callables can do harm with which of their arguments.

Nothing is imported or run: every module is parsed, lowered to calls and value flows, and the effects of a small
seed table of primitives are propagated through the call graph until nothing changes.
"""
