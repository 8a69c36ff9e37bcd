"""What the hostile files of several formats are made of. Payloads are inert."""

from __future__ import annotations

import io
import json
import zipfile

EVIL = b"\x80\x04cposix\nsystem\n\x8c\x04echo\x85R."
ESCAPE = "{{ cycler.__init__.__globals__.os.popen('id').read() }}"
PLAIN = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
Files = dict[str, bytes]
"""What a case lays down: content by path."""


def zipped(*members: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 5, 9, 0, 0)), data)
    return stream.getvalue()


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def text(name: str, content: str) -> Files:
    return {name: content.encode()}
