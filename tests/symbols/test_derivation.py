"""The deriver on small sources: what reaches a sink, and what must not."""

from __future__ import annotations

import pytest

from tools.effects.lower import lower_module
from tools.effects.resolve import Program
from tools.effects.seeds import Seeds, load_seeds, parse_symbol
from tools.effects.summaries import Propagation


@pytest.fixture(scope="module")
def seeds() -> Seeds:
    return load_seeds()


def derive(seeds: Seeds, **sources: str) -> dict[str, set[tuple[str, tuple[str, ...]]]]:
    """Effects and needs of every callable of some modules; classes by their constructors."""
    program = Program(seeds)
    for name, text in sources.items():
        program.add(
            lower_module(name.replace("__", "."), text.encode(), package=any(other.startswith(f"{name}__") for other in sources))
        )
    propagation = Propagation(program)
    propagation.run(list(program.functions))
    found = dict(propagation.summaries)
    found |= {name: propagation.constructor(name)[1] for name in program.classes}
    return {name: {(sink.effect, sink.needs) for sink in summary.sinks} for name, summary in found.items()}


def effects(seeds: Seeds, body: str, name: str = "f") -> set[tuple[str, tuple[str, ...]]]:
    return derive(seeds, m=body)[f"m.{name}"]


FLOWS = {
    "direct": "import os\ndef f(a): os.system(a)",
    "alias": "from os import system as s\ndef f(a): s(a)",
    "module alias": "import os\nrun = os.system\ndef f(a): run(a)",
    "local": "import os\ndef f(a):\n b = a.strip()\n os.system(b)",
    "f-string": "import os\ndef f(a): os.system(f'echo {a}')",
    "percent": "import os\ndef f(a): os.system('echo %s' % a)",
    "format": "import os\ndef f(a): os.system('echo {}'.format(a))",
    "join": "import os\ndef f(a): os.system(os.path.join('x', a))",
    "tuple": "import os\ndef f(a):\n x, y = a, 1\n os.system(x)",
    "list append": "import os\ndef f(a):\n c = []\n c.append(a)\n os.execv('/bin/sh', c)",
    "comprehension": "import os\ndef f(a): [os.system(x) for x in a]",
    "loop": "import os\ndef f(a):\n for x in a:\n  y = x\n  os.system(y)",
    "helper": "import os\ndef g(x): os.system(x)\ndef f(a): g(x=a)",
    "returned": "import os\ndef g(x): return x + ' '\ndef f(a): os.system(g(a))",
    "closure": "import os\ndef f(a):\n def g(): os.system(a)\n return g",
    "lambda": "import os\ndef f(a): return lambda: os.system(a)",
    "argument of a lambda": "import os\ndef f(a): return list(map(lambda x: os.system(x), a))",
    "callback": "import os\ndef f(a): return list(map(os.system, a))",
    "default callable": "import os\ndef f(a, run=os.system): run(a)",
    "constant getattr": "import os\ndef f(a): getattr(os, 'system')(a)",
    "with": "import os\ndef f(a):\n with open('x') as h:\n  os.system(a)",
    "try": "import os\ndef f(a):\n try:\n  pass\n finally:\n  os.system(a)",
    "local import": "def f(a):\n import os\n os.system(a)",
    "conditional definition": "import os\nif 1:\n def g(x): pass\nelse:\n def g(x): os.system(x)\ndef f(a): g(a)",
}


@pytest.mark.parametrize("source", FLOWS.values(), ids=FLOWS.keys())
def test_an_argument_reaches_the_sink(seeds: Seeds, source: str) -> None:
    assert ("run-command", ("a",)) in effects(seeds, source)


SILENT = {
    "a number made of it": "import os\ndef f(a): os.system('exit %d' % len(a))",
    "only in the error message": "import os\ndef f(a): raise ValueError(os.popen(a))",
    "a constant": "import os\ndef f(a):\n if a: os.system('true')",
    "another parameter": "import os\ndef g(x, y): os.system(y)\ndef f(a): g(a, 'true')",
    "overwritten": "import os\ndef f(a):\n a = 'true'\n os.system(a)",
    "ruled out by a constant": "import os\ndef g(x, really=False):\n if really: os.system(x)\ndef f(a): g(a)",
    "ruled out by an early return": "import os\ndef g(x, yes=0):\n if not yes: return None\n os.system(x)\ndef f(a): g(a)",
    "a logger": "import logging\nlog = logging.getLogger('x')\ndef f(a): log.warning(a)",
    "main only": "import os\ndef f(a): pass\nif __name__ == '__main__':\n import sys\n os.system(sys.argv[1])",
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_what_does_not_reach_the_sink_is_silent(seeds: Seeds, source: str) -> None:
    assert not {needs for effect, needs in effects(seeds, source) if effect == "run-command"}


def test_the_mode_decides_between_reading_and_writing(seeds: Seeds) -> None:
    found = derive(
        seeds, m="def r(a): open(a)\ndef w(a): open(a, 'wb')\ndef both(a, mode='r'): open(a, mode)\ndef again(a): both(a)"
    )
    assert found["m.r"] == {("read-file", ("a",))}
    assert found["m.w"] == {("write-file", ("a",))}
    assert found["m.both"] == {("read-file", ("a",)), ("write-file", ("a",))}
    assert found["m.again"] == {("read-file", ("a",))}


CLASS = """
import os
class Base:
    def __init__(self, cmd, other=None):
        self.cmd = cmd
        self.other = other
        self.go()
    def go(self): os.system(self.cmd)
    def later(self): os.system(self.other)
class Quiet(Base):
    def go(self): pass
class Loud(Quiet):
    def __init__(self, cmd):
        self.mine = cmd
        super().__init__('true')
    def go(self): os.system(self.mine)
def f(a): Base('true', a).later()
"""


def test_constructors_and_methods(seeds: Seeds) -> None:
    found = derive(seeds, m=CLASS)
    assert ("run-command", ("cmd",)) in found["m.Base"]
    assert ("run-command", ("other",)) not in found["m.Base"]
    assert ("run-command", ("self.other",)) in found["m.Base.later"]
    assert ("run-command", ("cmd",)) in found["m.Loud"]
    assert ("run-command", ("a",)) in found["m.f"]


RECORD = """
import os
from dataclasses import dataclass
@dataclass
class C:
    a: str
    b: int = 0
    def __post_init__(self): os.system(self.a)
"""


def test_data_classes_hand_their_fields_to_post_init(seeds: Seeds) -> None:
    assert effects(seeds, RECORD, "C") == {("run-command", ("a",))}


SPREAD = """
import subprocess
def run(*args, **kw): subprocess.Popen(*args, **kw)
def f(a, b): run(['true'], cwd=b)
def g(a): run(a, cwd='.')
"""


def test_keywords_and_positions_stay_apart(seeds: Seeds) -> None:
    found = derive(seeds, m=SPREAD)
    assert ("run-command", ("*args.0",)) in found["m.run"]
    assert ("run-command", ("**kw.executable",)) in found["m.run"]
    assert not found["m.f"]
    assert found["m.g"] == {("run-command", ("a",))}


def test_names_across_modules(seeds: Seeds) -> None:
    found = derive(
        seeds,
        p="from p.inner import *\nfrom .inner import hidden as shown",
        p__inner="import os as _os\ndef act(x): _os.system(x)\ndef hidden(x): act(x)",
        q="import p\ndef f(a): p.act(a)\ndef g(a): p.shown(a)",
    )
    assert found["q.f"] == found["q.g"] == {("run-command", ("a",))}


def test_unconditional_effects_only_on_certain_paths(seeds: Seeds) -> None:
    found = derive(seeds, m="import os\ndef f(): os.abort()\ndef g(a):\n if a: os.abort()\ndef h(): f()")
    assert found["m.f"] == found["m.h"] == {("kill-hang", ())}
    assert not found["m.g"]


def test_patching_modules(seeds: Seeds) -> None:
    found = derive(
        seeds, m="import sys\ndef f(a): sys.stdout = a\ndef g(k, v): sys.modules[k] = v\ndef h(o, n, v): setattr(o, n, v)"
    )
    assert ("patch", ("a",)) in found["m.f"]
    assert {effect for effect, _ in found["m.g"]} == {"patch"}
    assert found["m.h"] == {("patch", ("o", "n"))}


def test_recursion_and_cycles_end(seeds: Seeds) -> None:
    found = derive(
        seeds, a="from b import *\ndef f(x): return g(x)", b="from a import *\nimport os\ndef g(x):\n os.system(x)\n return f(x)"
    )
    assert ("run-command", ("x",)) in found["a.f"]


@pytest.mark.parametrize("text", ["os.system(command)", "os.system()", "os.system(!)"])
def test_a_seed_without_a_sensitive_parameter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"sensitive|without a name"):
        parse_symbol(text, "run-command")


def test_every_seed_group_states_a_reason_and_a_known_effect() -> None:
    import tomllib

    from toadstone.symbols import Effect
    from tools.effects.emit import EFFECTS
    from tools.effects.seeds import SEEDS_FILE

    data = tomllib.loads(SEEDS_FILE.read_text(encoding="utf-8"))
    assert [effect.value for effect in Effect] == list(EFFECTS)
    for group in data["group"]:
        assert group["effect"] in EFFECTS
        assert group["reason"].endswith(".")
    assert all(set(group["effects"]) <= set(EFFECTS) and group["reason"].endswith(".") for group in data["module"])


def test_a_method_of_an_argument_is_not_the_argument(seeds: Seeds) -> None:
    found = derive(seeds, m="def f(a): return a()\ndef g(a): return a.strip()\ndef h(a):\n s = a.startswith\n return s('x')")
    assert found["m.f"] == {("call", ("a",))}
    assert not found["m.g"]
    assert not found["m.h"]


def test_setting_attributes_of_a_new_object_patches_nothing(seeds: Seeds) -> None:
    found = derive(seeds, m="class C: pass\ndef f(n, v):\n o = C()\n setattr(o, n, v)\ndef g(o, n, v): setattr(o, n, v)")
    assert not found["m.f"]
    assert found["m.g"] == {("patch", ("o", "n"))}


def test_a_class_may_be_a_primitive_with_derived_methods(seeds: Seeds) -> None:
    found = derive(
        seeds,
        zipfile="class ZipFile:\n def __init__(self, file, mode='r'): pass\n def act(self, x): open(x, 'w')",
        m="from zipfile import ZipFile\ndef f(a): ZipFile(a)\ndef g(a): ZipFile(a, 'w')\ndef h(a, b): ZipFile(a).act(b)",
    )
    assert found["m.f"] == {("read-file", ("a",))}
    assert found["m.g"] == {("write-file", ("a",))}
    assert found["m.h"] == {("read-file", ("a",)), ("write-file", ("b",))}


TABLE = """
import os
T = {'a': 'true'}
def f(a): os.system(T.get(a))
def g(a): os.system(T.get('a', a))
def h(d): os.system(d.get('x'))
"""


def test_a_table_chooses_but_does_not_make(seeds: Seeds) -> None:
    found = derive(seeds, m=TABLE)
    assert not found["m.f"]
    assert found["m.g"] == {("run-command", ("a",))}
    assert found["m.h"] == {("run-command", ("d",))}


def test_a_copy_is_a_new_object(seeds: Seeds) -> None:
    assert not effects(seeds, "import copy\ndef f(a, n):\n b = copy.copy(a)\n setattr(b, n, 1)")


def test_a_computed_callee_carries_its_inputs(seeds: Seeds) -> None:
    found = derive(seeds, m="import io, os\ndef f(a):\n read = io.StringIO(a).readline\n os.system(read())")
    assert ("run-command", ("a",)) in found["m.f"]


def test_an_item_of_a_table_of_a_module(seeds: Seeds) -> None:
    assert ("load-native", ("a",)) in effects(seeds, "import ctypes\ndef f(a): return ctypes.cdll[a]")


def test_what_a_method_stores_and_returns(seeds: Seeds) -> None:
    source = "import os\nclass C:\n def go(self, x):\n  self.t = [x]\n  return ''.join(self.t)\ndef f(a): os.system(C().go(a))"
    assert effects(seeds, source) == {("run-command", ("a",))}


def test_one_place_that_reads_and_writes_a_table(seeds: Seeds) -> None:
    found = derive(seeds, m="import os\ndef f(k, v): os.environ[k] += v")
    assert "patch" in {effect for effect, _ in found["m.f"]}


SHARED = {
    "global variable": "opener = None\ndef f(a):\n global opener\n opener = a",
    "global table": "table = {}\ndef f(a): table['x'] = a",
    "global table, in a tuple": "table = {}\ndef f(a): table['x'] = (a, 1)",
    "global list": "hooks = []\ndef f(a): hooks.append(a)",
}


@pytest.mark.parametrize("source", SHARED.values(), ids=SHARED.keys())
def test_storing_an_argument_globally_is_a_patch(seeds: Seeds, source: str) -> None:
    assert ("patch", ("a",)) in effects(seeds, source)


OWN = {
    "a cache of results": "cache = {}\ndef f(a): cache[a] = str(a)",
    "a cache of objects": "cache = {}\ndef f(a):\n o = object.__new__(dict)\n o.x = a\n cache['x'] = o",
    "a local table": "def f(a):\n table = {}\n table['x'] = a",
    "a parameter of the same name": "table = {}\ndef f(a, table): table['x'] = a",
    "an object that enters itself": "all = set()\nclass f:\n def __init__(self, a): all.add(self)",
    "what a callee stores": "last = None\ndef g(x):\n global last\n last = x\ndef f(a): g(a)",
}


@pytest.mark.parametrize("source", OWN.values(), ids=OWN.keys())
def test_keeping_something_of_ones_own_is_no_patch(seeds: Seeds, source: str) -> None:
    assert ("patch", ("a",)) not in effects(seeds, source)


def test_the_loader_of_a_chosen_file_runs_it(seeds: Seeds) -> None:
    source = (
        "import importlib.util\ndef f(a):\n spec = importlib.util.spec_from_file_location('x', a)\n"
        " module = importlib.util.module_from_spec(spec)\n spec.loader.exec_module(module)"
    )
    assert ("run-code", ("a",)) in effects(seeds, source)


def test_a_module_imported_by_a_constant_name_is_that_module(seeds: Seeds) -> None:
    assert ("run-command", ("a",)) in effects(seeds, "import importlib\ndef f(a): importlib.import_module('os').system(a)")


def test_the_target_of_a_thread_gets_the_arguments(seeds: Seeds) -> None:
    source = "import os, threading\ndef g(x): os.system(x)\ndef f(a): threading.Thread(target=g, args=(a,)).start()"
    assert ("run-command", ("a",)) in effects(seeds, source)


def test_a_class_hides_the_submodule_of_its_name(seeds: Seeds) -> None:
    found = derive(
        seeds,
        p="from .run import *\n",
        p__run="import os\n__all__ = ['run']\nclass run:\n def __init__(self, x): os.system(x)",
        m="import p\ndef f(a): p.run(a)",
    )
    assert ("run-command", ("a",)) in found["m.f"]


def test_a_library_taken_from_the_loaders_table_is_loaded(seeds: Seeds) -> None:
    ctypes = "class LibraryLoader:\n def __getitem__(self, name): return getattr(self, name)\ncdll = LibraryLoader()"
    found = derive(seeds, ctypes=ctypes, m="import ctypes\ndef f(a): return ctypes.cdll[a]")
    assert ("load-native", ("a",)) in found["m.f"]


FRESH = {
    "a class of its own": "def f(a, b):\n class made: pass\n made.__name__ = a\n setattr(made, b, 1)\n return made",
    "an object without its constructor": "def f(a, b):\n o = object.__new__(dict)\n o.x = a\n setattr(o, b, 1)\n return o",
}


@pytest.mark.parametrize("source", FRESH.values(), ids=FRESH.keys())
def test_attributes_of_what_the_function_makes_patch_nothing(seeds: Seeds, source: str) -> None:
    assert not {effect for effect, _ in effects(seeds, source)} & {"patch"}
    assert {effect for effect, _ in effects(seeds, "def f(o, a, b):\n o.x = a\n setattr(o, b, 1)")} == {"patch"}
