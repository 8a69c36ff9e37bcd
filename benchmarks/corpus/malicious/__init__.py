"""Recipes of the malicious (inert) corpora: they write files, and nothing is ever loaded.

Every payload only echoes a word or names a documentation address (RFC 5737) or an ``.invalid`` host (RFC 2606).
"""
