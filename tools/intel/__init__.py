"""Writes the data files of `toadstone.intel` from published packages."""
