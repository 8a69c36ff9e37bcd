"""The look-up on real tables: advisories are known, ordinary constructors are silent, hostile names are harmless."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.symbols import Effect, Knowledge, effects_of, module_known
from toadstone.symbols.lookup import places, well_formed
from toadstone.symbols.tables import effect_line, read, shards

HERE = Path(__file__).parent
GRAVE = {Effect.RUN_COMMAND, Effect.RUN_CODE, Effect.LOAD_NATIVE, Effect.NETWORK}


def rows(name: str) -> list[list[str]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


ADVISORIES = rows("advisories.tsv")
DANGEROUS = rows("dangerous.tsv")
ORDINARY = rows("ordinary.tsv")


def known(module: str, qualname: str) -> Knowledge:
    found = effects_of(module, qualname)
    assert found is not None, f"{module} {qualname}"
    return found


def test_the_lists_are_as_long_as_they_claim() -> None:
    assert len({(module, name) for _, module, name in ADVISORIES}) >= 100
    assert len({(module, name) for module, name in ORDINARY}) >= 200


@pytest.mark.parametrize(("advisory", "module", "qualname"), ADVISORIES)
def test_symbols_of_advisories_have_effects(advisory: str, module: str, qualname: str) -> None:
    assert known(module, qualname).effects, advisory


@pytest.mark.parametrize(("module", "qualname", "why"), DANGEROUS)
def test_symbols_of_our_own_attacks_have_effects(module: str, qualname: str, why: str) -> None:
    assert known(module, qualname).effects, why


@pytest.mark.parametrize(("module", "qualname"), ORDINARY)
def test_ordinary_constructors_have_no_grave_effect(module: str, qualname: str) -> None:
    found = effects_of(module, qualname)
    assert found is None or not found.effects & GRAVE, found


REACHED = [
    ("torch.serialization", "os.system", "os", "system"),
    ("linecache", "os.system", "os", "system"),
    ("logging", "sys.modules", "sys", "modules"),
    ("os.path", "os.system", "os", "system"),
    ("os", "path.os.system", "os", "system"),
    ("__builtin__", "eval", "builtins", "eval"),
    ("commands", "getoutput", "subprocess", "getoutput"),
    ("cPickle", "loads", "pickle", "loads"),
    ("urllib2", "urlopen", "urllib.request", "urlopen"),
    ("posix", "system", "os", "system"),
    ("nt", "system", "os", "system"),
    ("_io", "open", "builtins", "open"),
    ("_functools", "partial", "functools", "partial"),
    ("os", "system.__call__", "os", "system"),
    ("torch", "load", "torch.serialization", "load"),
    ("joblib", "load", "joblib.numpy_pickle", "load"),
    ("tensorflow.keras.models", "load_model", "keras.src.saving.saving_api", "load_model"),
    ("transformers", "BertModel.from_pretrained", "transformers.modeling_utils", "PreTrainedModel.from_pretrained"),
]


@pytest.mark.parametrize(("module", "qualname", "real_module", "real_name"), REACHED)
def test_other_names_of_the_same_thing(module: str, qualname: str, real_module: str, real_name: str) -> None:
    assert known(module, qualname).effects == known(real_module, real_name).effects


def test_sensitive_parameters_name_the_command() -> None:
    ways = [way for way in known("subprocess", "Popen").sensitive if way.effect is Effect.RUN_COMMAND]
    assert any(parameter.position == 0 and parameter.name == "args" for way in ways for parameter in way.parameters)
    together = known("builtins", "setattr").sensitive
    assert [[parameter.name for parameter in way.parameters] for way in together] == [["obj", "name"]]
    assert known("os", "abort").sensitive[0].unconditional
    assert "os.system" in known("_osx_support", "_read_output").witness


def test_inherited_and_reflective_members() -> None:
    assert Effect.NETWORK in known("smtplib", "LMTP.connect").effects
    assert Effect.RUN_COMMAND in known("imaplib", "IMAP4_stream").effects
    assert Effect.CALL in known("builtins", "type.__call__").effects
    assert Effect.CALL in known("collections", "OrderedDict.__init_subclass__").effects
    assert Effect.IMPORT_NAME in known("numpy", "__builtins__").effects
    assert Effect.IMPORT_NAME in known("collections", "namedtuple.__globals__").effects


def test_the_search_does_not_go_in_circles_through_a_compiled_submodule() -> None:
    """``torch`` takes all names of ``torch._C``, which no source tells: the search would come back to it ever deeper."""
    visited = list(places("torch", "FloatStorage"))
    assert ("torch._C", ("FloatStorage",)) in visited
    assert len(visited) < 20


@pytest.mark.parametrize(
    ("module", "qualname"),
    [("timm.models", "inception_v3"), ("numpy._core", "memmap"), ("torchvision.models.quantization", "googlenet")],
)
def test_a_name_from_a_star_may_be_that_of_the_submodule_it_comes_from(module: str, qualname: str) -> None:
    knowledge = effects_of(module, qualname)
    assert knowledge is not None
    assert knowledge.exact


def test_modules_judged_whole_are_not_exact() -> None:
    found = known("ctypes", "no_such_name")
    assert not found.exact
    assert Effect.LOAD_NATIVE in found.effects
    assert effects_of("no_such_module", "no_such_name") is None
    assert effects_of("os", "no_such_name") is None


def test_walked_modules_are_known() -> None:
    assert module_known("subprocess")
    assert module_known("__builtin__")
    assert module_known("torch.serialization")
    assert not module_known("no_such_module")
    assert not module_known("")


HOSTILE = [
    "",
    ".",
    "..",
    "a" * 100_000,
    "." * 100_000,
    "os." * 40_000,
    "\0",
    "\ud800",
    "é" * 500,
    "os\tsystem",
    "os\nsystem",
    "../../etc",
    "%s",
    "*",
    "<x>",
]


@pytest.mark.parametrize("module", HOSTILE)
@pytest.mark.parametrize("qualname", HOSTILE)
def test_hostile_names_are_answered(module: str, qualname: str) -> None:
    started = time.process_time()
    for pair in (
        (module, qualname),
        ("os", qualname),
        (module, "system"),
        ("torch", f"{qualname}.x"),
        (f"torch.{module}", "load"),
    ):
        assert isinstance(effects_of(*pair), Knowledge | None)
        assert isinstance(module_known(pair[0]), bool)
    assert time.process_time() - started < 1


@given(st.text(), st.text())
@settings(max_examples=300, deadline=None)
def test_any_text_is_answered(module: str, qualname: str) -> None:
    assert isinstance(effects_of(module, qualname), Knowledge | None)
    assert isinstance(effects_of("os", qualname), Knowledge | None)


def test_separators_are_no_names() -> None:
    assert not well_formed("os\tsystem", "x")
    assert not well_formed("os", "a b")


@pytest.mark.parametrize("shard", sorted(shards()))
def test_tables_are_sorted_and_every_line_is_found(shard: str) -> None:
    for kind in ("effects", "aliases"):
        lines = read(kind, shard).split(b"\n")[:-1]
        keys = [b"\t".join(line.split(b"\t")[:2]) + b"\t" for line in lines]
        assert keys == sorted(set(keys)), kind
    for line in read("effects", shard).decode().splitlines()[:: max(1, len(lines) // 200)]:
        module, qualname, *rest = line.split("\t")
        assert effect_line(module, qualname) == rest
        assert effects_of(module, qualname) is not None or " " in qualname
