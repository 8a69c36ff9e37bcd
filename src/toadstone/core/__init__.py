"""The nouns: facts, findings, checks, reports, policies. Standard library and BLAKE3 only."""
