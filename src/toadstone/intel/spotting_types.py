"""What the extractor gives."""

from __future__ import annotations

from typing import NamedTuple


class Spotted(NamedTuple):
    """One indicator in a text.

    Attributes:
        type: ``ipv4``, ``ipv6``, ``domain``, ``url``, ``email``, ``md5``, ``sha1``, ``sha256``, ``port`` (an endpoint,
            ``host:port``), ``path``, ``wallet``.
        value: In its canonical form: lower-case names with ``xn--`` labels, addresses in decimal or RFC 5952 form.
        start: Index of its first character in the text (or byte in the data).
        end: Index behind its last character.
        form: How it is written: ``plain``, ``defanged``, ``integer``, ``octal``, ``hex``, ``mixed``, ``idna``, ``look-alike``.
        host: For a URL, an e-mail address or an endpoint: its host in canonical form.
    """

    type: str
    value: str
    start: int
    end: int
    form: str = "plain"
    host: str = ""
