"""What the real unpicklers of CPython reach, found out in a child process that cannot do harm.

Run as a script: reads hexadecimal pickles, one a line, and writes one JSON line each with the names that the C and the
pure-Python unpickler resolve and call. ``find_class`` is inert: it records the name and gives a dummy that records calls
and runs nothing. This is the only place that unpickles anything, and it is no part of the product.
"""

from __future__ import annotations

import io
import json
import pickle
import resource
import sys


def _reach(unpickler_class, data):  # noqa: C901  (dummies of every kind)
    seen = []

    class Inert:
        def __init__(self, *args, **kwargs):
            seen.append("call")

        def __setstate__(self, state):
            seen.append("state")

        def __reduce__(self):
            return (str, ())

        def append(self, item):
            pass

        def extend(self, items):
            pass

        def add(self, item):
            pass

        def __setitem__(self, key, value):
            pass

    class Recording(unpickler_class):
        def find_class(self, module, name):
            seen.append(f"{module}:{name}")
            return type("Dummy", (Inert,), {})

        def persistent_load(self, pid):
            return None

        def get_extension(self, code):
            seen.append(f"extension:{code}")
            raise pickle.UnpicklingError("extension")

    end = -1
    stream = io.BytesIO(data)
    try:
        Recording(stream).load()
        end = stream.tell()
    except Exception:  # noqa: BLE001  (whatever the unpickler raises is its answer)
        end = -1
    return seen, end


def main():
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    sys.setrecursionlimit(500)
    for line in sys.stdin:
        data = bytes.fromhex(line.strip())
        native, native_end = _reach(pickle.Unpickler, data)
        pure, pure_end = _reach(pickle._Unpickler, data)
        sys.stdout.write(json.dumps({"native": native, "pure": pure, "ends": [native_end, pure_end]}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
