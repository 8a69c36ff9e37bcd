"""The record that cannot be rewritten unseen: signed statements in a hash tree, in SQLite or PostgreSQL."""
