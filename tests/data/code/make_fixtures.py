"""Write ``fixtures.json``: small functions and modules compiled by every CPython from 3.8 to 3.13, as hexadecimal text.

Run ``python tests/data/code/make_fixtures.py PYTHON...`` with one interpreter of each version. Nothing in the sources does more
than ``echo``; the compiled code is only ever read.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENIGN = "import numpy as np\nscale = lambda x: x * 2 + np.mean(x)\n"

HOSTILE = """
import os as o, base64, subprocess
from os import system as s
s("echo 2")
getattr(o, "sys" + "tem")("echo 3")
__import__("o" + "s").system("echo 4")
exec(base64.b64decode("cHJpbnQoMSk="))
def run(cmd, shell=False):
    subprocess.call(cmd, shell=True, **{"cwd": "/"})
run("echo 12")
def never():
    try:
        if 1 > len("x"):
            o.system("echo use")
    except ValueError:
        o.popen("echo handler")
class A:
    x = o.system("echo 13")
    def __init__(self, c):
        o.system(c)
A("echo 14")
@o.system
def decorated(): pass
o.system(o.name if len("a") else "echo 18")
{"a": o.system}["a"](f"echo {24} {s}")
with o.popen("echo with") as p: p.read()
o.system("52 ohce"[::-1])
"""

LAMBDA = "f = lambda x: __import__('os').system('echo lambda') or x"

PROBE = """
import json, marshal, sys
sources = json.load(sys.stdin)
made = {}
for name, text in sources.items():
    code = compile(text, name + ".py", "exec")
    if name == "lambda":
        code = next(c for c in code.co_consts if hasattr(c, "co_code"))
    made[name] = marshal.dumps(code).hex()
import importlib.util
made["magic"] = importlib.util.MAGIC_NUMBER.hex()
made["version"] = "%d.%d" % sys.version_info[:2]
print(json.dumps(made))
"""


def main(interpreters: list[str]) -> None:
    """Compile the sources with each interpreter."""
    sources = json.dumps({"benign": BENIGN, "hostile": HOSTILE, "lambda": LAMBDA})
    made = {}
    for interpreter in interpreters:
        done = subprocess.run([interpreter, "-c", PROBE], input=sources, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        made[found.pop("version")] = found
    ordered = dict(sorted(made.items(), key=lambda item: int(item[0].partition(".")[2])))
    Path(__file__).with_name("fixtures.json").write_text(json.dumps(ordered, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
