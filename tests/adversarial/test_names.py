"""Names that lead to a function through other things."""

from __future__ import annotations

import pytest
from writer import HEADER, PAYLOAD, call, dotted, name, stopped, text

COMMAND = text("id")


@pytest.mark.parametrize("count", [1, 5, 15, 20, 33, 60, 400])
def test_a_name_may_be_long(count: int) -> None:
    assert stopped(HEADER + call(dotted("os", ".".join([*["path", "os"] * count, "system"])), COMMAND) + b".")
    assert stopped(HEADER + call(dotted("os.path", ".".join([*["os", "path"] * count, "os", "system"])), COMMAND) + b".")


REACHED = [
    ("os", "getpid.__self__.system"),
    ("builtins", "len.__self__.eval"),
    ("posixpath", "join.__globals__.get"),
    ("math", "__loader__.load_module"),
    ("codecs", "open.__builtins__.get"),
    ("random", "_os.system"),
    ("acme.models", "os.system"),
    ("acme.models", "builtins.eval"),
    ("acme.models", "subprocess.Popen"),
    ("acme.models", "sp.Popen"),
    ("acme.models", "__builtins__.get"),
]


@pytest.mark.parametrize(("module", "qualname"), REACHED)
def test_a_name_may_run_through_modules_and_functions(module: str, qualname: str) -> None:
    assert stopped(HEADER + call(dotted(module, qualname), COMMAND) + b".")


def test_a_destructor_works_on_what_the_stream_sets() -> None:
    state = b"}" + text("_URLopener__tempfiles") + b"]" + text("victim") + b"asb."
    assert stopped(HEADER + name("urllib.request", "URLopener") + b")\x81" + state)


def test_the_base_of_a_reconstructed_object_is_initialised() -> None:
    parts = (name("collections", "Counter"), name("logging", "FileHandler"), text("evil.py"))
    assert stopped(HEADER + call(name("copyreg", "_reconstructor"), *parts) + b".")


def test_the_payload_itself() -> None:
    assert stopped(HEADER + PAYLOAD + b".")


def test_what_a_destructor_works_on_may_come_late() -> None:
    keys = b"".join(text(f"k{number}") + b"K\x01" for number in range(400))
    state = b"}(" + keys + text("_URLopener__tempfiles") + b"]ub."
    assert stopped(HEADER + name("urllib.request", "URLopener") + b")\x81" + state)
