"""IPython's own syntax as plain Python, as its input transformer would write it.

``!command``, ``%magic rest``, ``%%magic line`` with a body, ``name?`` and the escapes ``,f a b``, ``;f a b`` and ``/f a, b``
become calls on ``get_ipython()``; ``$name`` and ``{expression}`` inside commands stay expressions (`var_expand`). See
"IPython reference: system shell access, magic functions, automatic parentheses and quotes".
"""

from __future__ import annotations

import ast
import re
import warnings

SHELLS = frozenset({"bash", "sh", "script", "cmd", "system", "sx", "!", "powershell", "ksh", "zsh", "perl", "ruby"})
"""Cell magics that hand their body to another program."""
PROGRAMS = frozenset({"pip", "conda", "mamba", "micromamba", "uv"})
"""Line magics that are named for the program that they run."""
TIMERS = frozenset({"time", "timeit", "capture", "prun", "memit", "mprun", "lprun", "snakeviz", "pyinstrument", "debug"})
"""Magics that run the code that follows them."""
NO_CODE = frozenset({"html", "javascript", "js", "svg", "latex", "markdown", "R", "julia", "sql", "cython"})
"""Cell magics whose body is another language that this reader does not judge."""
FILES = frozenset({"writefile", "file"})

_SIGNS = re.compile(r"^[ \t]*(?:[!%?,;/]|[\w.]+\?)|=[ \t]*[!%]|\?[ \t]*$", re.MULTILINE)
_LINE = re.compile(
    r"^(?P<indent>[ \t]*)(?:(?P<target>[\w.,\[\]'\" \t]+?)[ \t]*=[ \t]*)?(?P<sign>!!?|%(?=[A-Za-z]))(?P<rest>.*)$", re.DOTALL
)
_HELP = re.compile(r"^(?P<indent>[ \t]*)(?:\?{1,2}[^\n]*|[%\w.*]+\?{1,2})[ \t]*$")
_ESCAPE = re.compile(r"^(?P<indent>[ \t]*)(?P<sign>[,;/])[ \t]*(?P<name>[A-Za-z_][\w.]*)(?P<rest>[ \t].*)?$")
_EXPANDED = re.compile(r"\$\$|\{\{|\}\}|\{([^{}\n]+)\}|\$([A-Za-z_]\w*)")
_OPTIONS = re.compile(r"^(?:[ \t]*-[a-zA-Z]+(?:[ \t]*\d+)?)*[ \t]*")
_DOUBLED = {"$$": "$", "{{": "{", "}}": "}"}


def as_python(text: str) -> str:
    """Rewrite a cell; every line stays at its place. Text without IPython's syntax comes back as it is."""
    if not _SIGNS.search(text) or _parses(text, "exec"):
        return text
    stripped = text.lstrip()
    if stripped.startswith("%%"):
        blank = "\n" * text[: len(text) - len(stripped)].count("\n")
        return blank + _cell(stripped)
    return "\n".join(_line(line) for line in _joined(text.split("\n")))


def options_stripped(text: str) -> str:
    """Leave out the options at the beginning of a magic's line (``-n 10 -r 3``)."""
    return _OPTIONS.sub("", text, count=1)


def _cell(text: str) -> str:
    first, _, body = text.partition("\n")
    name, _, line = first[2:].strip().partition(" ")
    if name in TIMERS:
        setup = options_stripped(line) if name == "timeit" else ""
        return f"{setup if _parses(setup, 'exec') else ''}\n{as_python(body)}"
    if name.startswith("python") or name == "pypy" or (name == "script" and runs_python(line)):
        return f"\n{as_python(body)}"
    if name in NO_CODE:
        return ""
    if name in SHELLS or name in FILES:
        return f"get_ipython().run_cell_magic({name!r}, {line!r}, {_expression(body) if name in SHELLS else repr(body)})"
    return f"\n{as_python(body)}"


def runs_python(line: str) -> bool:
    """Whether ``%%script``'s line names a Python."""
    program = next((word for word in line.split() if not word.startswith("-")), "")
    return program.rpartition("/")[2].startswith(("python", "pypy"))


def _joined(lines: list[str]) -> list[str]:
    """Join what backslashes continue in lines of magics; the lines that were taken become empty."""
    joined: list[str] = []
    taken = 0
    for index, line in enumerate(lines):
        if taken:
            taken -= 1
            joined.append("")
            continue
        if line.endswith("\\") and _LINE.match(line):
            while index + taken + 1 < len(lines) and line.endswith("\\"):
                taken += 1
                line = line[:-1] + lines[index + taken].lstrip()  # noqa: PLW2901  (the joined line stands for its first)
        joined.append(line)
    return joined


def _line(line: str) -> str:
    found = _LINE.match(line)
    if found:
        target = f"{found['target']} = " if found["target"] else ""
        return f"{found['indent']}{target}{_magic(found['sign'], found['rest'])}"
    if found := _HELP.match(line):
        return f"{found['indent']}pass"
    if (found := _ESCAPE.match(line)) and not _parses(line.strip(), "exec"):
        return f"{found['indent']}{_called(found['sign'], found['name'], (found['rest'] or '').strip())}"
    return line


def _magic(sign: str, rest: str) -> str:
    if sign != "%":
        return f"get_ipython().system({_expression(rest.strip())})"
    name, _, text = rest.partition(" ")
    if name in TIMERS:
        code = options_stripped(text)
        inner = _line(code)
        if _parses(inner, "exec"):
            return inner or "pass"
    return f"get_ipython().run_line_magic({name!r}, {_expression(text.strip())})"


def _called(sign: str, name: str, rest: str) -> str:
    if sign == ";":
        return f"{name}({rest!r})"
    if sign == ",":
        return f"{name}({', '.join(repr(word) for word in rest.split())})"
    return f"{name}({rest})" if _parses(f"f({rest})", "eval") else "pass"


def _expression(text: str) -> str:
    """Write a command as a Python expression; what IPython would expand stays an expression."""
    parts: list[str] = []
    at = 0
    literal = ""
    for found in _EXPANDED.finditer(text):
        literal += text[at : found.start()]
        at = found.end()
        inner = found[1] or found[2]
        if inner is None:
            literal += _DOUBLED[found[0]]
        elif _parses(inner.strip(), "eval"):
            parts += [repr(literal), f"str({inner.strip()})"]
            literal = ""
        else:
            literal += found[0]
    literal += text[at:]
    if literal or not parts:
        parts.append(repr(literal))
    return " + ".join(part for part in parts if part != "''") or "''"


def _parses(text: str, mode: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text, mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
