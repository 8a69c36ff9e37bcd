"""Files that Python executes at every start."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Call, Code, Fact, Link, Moment
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place
from toadstone.core.regex import regex
from toadstone.core.value import Symbol, render_call

_PREFIX = "runs at interpreter start: "

_NAMESPACE = (
    "import sys, types, os;has_mfs = sys.version_info > (3, 5);p = os.path.join(sys._getframe(1).f_locals['sitedir'], *(PARTS));"
    "importlib = has_mfs and __import__('importlib.util');has_mfs and __import__('importlib.machinery');"
    "m = has_mfs and sys.modules.setdefault('NAME', importlib.util.module_from_spec("
    "importlib.machinery.PathFinder.find_spec('NAME', [os.path.dirname(p)])));"
    "m = m or sys.modules.setdefault('NAME', types.ModuleType('NAME'));"
    "mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)"
)
"""What setuptools writes for a namespace package, PARTS and NAME filled in."""

_ORDINARY = (
    regex(
        r"import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os\.environ\.get\(var, '(?:local|stdlib)'\) == 'local'; "
        r"enabled and __import__\('_distutils_hack'\)(?:\.add_shim\(\))?;?",
    ),
    regex(r"import (__editable___\w+_finder); \1\.install\(\)"),
    regex(
        re.escape(_NAMESPACE).replace("PARTS", r"(?:'\w+',?\ ?)+").replace("NAME", r"[\w.]+")
        + r"(?:;m and setattr\(sys\.modules\['[\w.]+'\], '\w+', m\))?",
    ),
    regex(r"import _virtualenv|import pywin32_bootstrap|import coverage; coverage\.process_startup\(\)"),
)


@check(
    "startup-hook",
    severity=Severity.HIGH,
    reads=(Code, Call, Link),
    languages=("python",),
    references=("CWE-506", "CWE-427", "MITRE ATLAS 2026.08 AML.T0010", "OWASP LLM 2026 LLM04"),
)
class StartupHook(Check):
    """A file makes every Python interpreter of the environment run code at its start.

    ## Why it matters
    Lines of a `.pth` file that begin with `import`, and the modules `sitecustomize` and `usercustomize`, run before any
    program does, in every process, without being asked for. It is how packages that were taken over stay alive: the code
    survives the removal of whatever installed it and runs even for `python --version`.

    ## How it decides
    Each executable line of a `.pth` file is compared with the few that packaging tools write (the distutils precedence of
    setuptools, finders of editable installations, namespace packages, virtual environments): those are `info`. Any other
    line is `high`, and so is a call that acts on the machine in `sitecustomize` or `usercustomize` (see `suspicious-code`).
    Path lines that point outside the folder are `low`: they change which modules win.

    ## What it misses
    What the module does that an ordinary line imports: it is judged as a file of its own. A PyTorch file with the suffix
    `.pth` is no start-up file and is recognised by its content.

    ## Remedy
    Delete the file from the environment, then find out what put it there. A model or data set never needs one.

    ## References
    - CWE-427 (uncontrolled search path element), CWE-506
    - Python documentation of the `site` module; MITRE ATT&CK T1546.018 (Python startup hooks)
    """

    def examine(self, fact: Code | Call | Link) -> Iterator[Finding]:
        if isinstance(fact, Code):
            if fact.summary.startswith(_PREFIX):
                yield self._line(fact)
        elif isinstance(fact, Link):
            if fact.relation == "search-path" and fact.escapes:
                yield self.finding(
                    fact.place,
                    "A start-up file adds a folder outside its own to the module search path.",
                    severity=Severity.LOW,
                    path=fact.target[:400],
                )
        elif fact.when is Moment.LOAD and fact.language == "python" and not fact.how.startswith("startup:"):
            name = fact.place.path.rsplit("/", 1)[-1] if not fact.place.member else fact.place.member.rsplit("/", 1)[-1]
            if name in ("sitecustomize.py", "usercustomize.py") and isinstance(fact.callee, Symbol) and fact.callee in _ACTS:
                yield self.finding(
                    fact.place,
                    f"{name} acts on the machine at every start of Python.",
                    code=render_call(fact.callee, fact.args, fact.kwargs),
                    score=0.8,
                )

    def _line(self, fact: Code) -> Finding:
        line = fact.summary.removeprefix(_PREFIX).strip()
        ordinary = any(pattern.fullmatch(line) for pattern in _ORDINARY)
        message = (
            "A packaging tool's start-up line runs at every start of Python."
            if ordinary
            else "Code runs at every start of Python."
        )
        return self.finding(
            fact.place,
            message,
            severity=Severity.INFO if ordinary else Severity.HIGH,
            code=line[:400],
            score=0.0 if ordinary else 0.85,
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        place = Place("site-packages/helper.pth", row=0)
        yield Code(place, "python", "helper.pth", f"{_PREFIX}import os; os.system('echo hello')")
        yield Link(place, "/srv/modules", "search-path", True)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        place = Place("weights.pth")
        yield Link(place, "src", "search-path", False)
        yield Code(place, "bytecode", "f", "CPython 3.11")


_ACTS = frozenset(
    Symbol(module, name)
    for module, names in {
        "os": "system popen execv execve spawnv spawnl fork posix_spawn",
        "subprocess": "run call Popen check_call check_output getoutput",
        "builtins": "exec eval",
        "urllib.request": "urlopen urlretrieve",
        "socket": "socket create_connection",
        "requests": "get post",
        "ctypes": "CDLL",
    }.items()
    for name in names.split()
)
