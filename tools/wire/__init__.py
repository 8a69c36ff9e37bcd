"""Writes the tables that readers of Protocol Buffers need, from the libraries that define the formats."""
