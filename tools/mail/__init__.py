"""Writes ``examples/mail``: a small set of mails with a backdoor in it (``python -m tools.mail SPAM.parquet``)."""
