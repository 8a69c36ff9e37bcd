from __future__ import annotations

import json
import marshal
from pathlib import Path

import pytest
from code_facts import calls, facts_of, findings, imports
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.fact import Anomaly, Call, Code, Moment, Unread
from toadstone.core.finding import Severity
from toadstone.core.value import Symbol
from toadstone.readers.code.disassemble import VERSIONS, decode, likely_versions, table
from toadstone.readers.code.marshal_reader import BigInt, CodeObject, MarshalError, Sequence, Unmarshaller, load_all

FIXTURES = json.loads((Path(__file__).parents[1] / "data/code/fixtures.json").read_text("utf-8"))
EXPECTED = [
    "os.system('echo 2')",
    "os.system('echo 3')",
    "os.system('echo 4')",
    "builtins.exec(base64.b64decode('cHJpbnQoMSk='))",
    "subprocess.call('echo 12', shell=True, cwd='/')",
    "os.system('echo use')",
    "os.popen('echo handler')",
    "os.system('echo 13')",
    "os.system('echo 14')",
    "os.system(decorated)",
    "os.system('echo 18')",
    "os.system(operator.concat('echo ', '24', ' ', os.system))",
    "os.popen('echo with')",
    "os.system(operator.getitem('52 ohce'))",
]


def pyc(version: str, name: str = "hostile") -> bytes:
    return bytes.fromhex(FIXTURES[version]["magic"]) + bytes(12) + bytes.fromhex(FIXTURES[version][name])


@pytest.mark.parametrize("version", FIXTURES)
def test_every_version_tells_the_same(version):
    facts = facts_of(pyc(version), "module.pyc")
    found = calls(facts)
    expected = [text.replace(", cwd='/'", "") if version == "3.8" else text for text in EXPECTED]
    assert [text for text in expected if text not in found] == []
    assert {"os", "base64", "subprocess", "os.system"} <= set(imports(facts))
    assert not [fact for fact in facts if isinstance(fact, (Anomaly, Unread))]
    moments = {
        fact.args[0]: fact.when
        for fact in facts
        if isinstance(fact, Call) and fact.callee == Symbol("os", "system") and fact.args
    }
    assert moments["echo 13"] is Moment.IMPORT
    assert moments["echo use"] is Moment.USE


@pytest.mark.parametrize("version", FIXTURES)
def test_naked_code_is_recognised(version):
    loaded, _ = load_all(bytes.fromhex(FIXTURES[version]["lambda"]))
    assert len(loaded) == 1
    assert version in likely_versions(loaded[0].codes, loaded[0].layout)
    facts = facts_of(bytes.fromhex(FIXTURES[version]["lambda"]), "function", "marshal-run")
    assert "os.system('echo lambda')" in calls(facts)
    assert all(fact.when is Moment.LOAD for fact in facts if isinstance(fact, Call))
    assert [fact.name for fact in facts if isinstance(fact, Code)] == ["<lambda>"]
    assert findings(facts)["embedded-code"] >= Severity.HIGH


@pytest.mark.parametrize("version", FIXTURES)
def test_a_harmless_lambda_stays_medium(version):
    facts = facts_of(bytes.fromhex(FIXTURES[version]["benign"]), "function", "marshal")
    assert "numpy.mean(...)" in calls(facts)
    assert findings(facts) == {"embedded-code": Severity.MEDIUM}


@pytest.mark.parametrize("version", ["3.8", "3.11", "3.13"])
def test_truncation_anywhere_is_said(version):
    whole = pyc(version, "benign")
    for size in range(17, len(whole)):
        facts = facts_of(whole[:size], "module.pyc")
        assert any(isinstance(fact, Unread) for fact in facts)


def assembled(*steps: tuple[str, int], consts=(), names=(), version="3.14", flags=0) -> CodeObject:
    """Put a code object together by hand, caches included."""
    opcodes = table(version)
    numbers = {operation.name: number for number, operation in sorted(opcodes.operations.items(), reverse=True)}
    code = b"".join(bytes((numbers[name], arg)) + bytes(2 * opcodes.operations[numbers[name]].caches) for name, arg in steps)
    return CodeObject("3.11", 0, flags, code, consts, names, (), (), "<hand>", "hand", "hand", 1, b"", 0)


def walked(code: CodeObject, version: str) -> list:
    from toadstone.core.place import Place
    from toadstone.readers.code.bytecode import BytecodeReading

    reading = BytecodeReading(code, version, Place("f"), Moment.LOAD, False)
    reading.read()
    return list(reading.facts())


def test_3_14_by_hand():
    code = assembled(
        ("RESUME", 0),
        ("LOAD_SMALL_INT", 0),
        ("LOAD_CONST", 0),
        ("IMPORT_NAME", 0),
        ("LOAD_ATTR", 3),
        ("LOAD_CONST", 1),
        ("LOAD_CONST", 2),
        ("BINARY_OP", 0),
        ("CALL", 1),
        ("POP_TOP", 0),
        ("LOAD_GLOBAL", 5),
        ("LOAD_CONST", 3),
        ("CALL", 1),
        ("RETURN_VALUE", 0),
        consts=(None, "echo ", "1", "2"),
        names=("os", "system", "eval"),
    )
    assert calls(walked(code, "3.14")) == ["os.system('echo 1')", "builtins.eval('2')"]
    assert "3.14" in likely_versions([code], "3.11")


def test_3_14_opcode_numbers():
    opcodes = table("3.14").operations
    known = {
        0: "CACHE",
        4: "CALL_FUNCTION_EX",
        52: "CALL",
        73: "IMPORT_NAME",
        80: "LOAD_ATTR",
        87: "LOAD_FAST_BORROW_LOAD_FAST_BORROW",
        94: "LOAD_SMALL_INT",
        119: "UNPACK_SEQUENCE",
        128: "RESUME",
        135: "BINARY_OP",
        163: "CALL",
        190: "LOAD_CONST",
        211: "UNPACK_SEQUENCE",
        250: "CALL",
        253: "JUMP_BACKWARD",
    }
    assert {number: opcodes[number].name for number in known} == known


def test_specialised_and_instrumented_opcodes_mean_the_same():
    opcodes = table("3.12").operations
    names = {operation.name for operation in opcodes.values()}
    assert not [name for name in names if "ADAPTIVE" in name or name.startswith(("INSTRUMENTED_CALL", "LOAD_ATTR_"))]


@pytest.mark.parametrize("version", VERSIONS)
def test_long_arguments_and_unknown_opcodes(version):
    opcodes = table(version)
    number = {operation.name: key for key, operation in opcodes.operations.items()}
    step = decode(bytes((number["EXTENDED_ARG"], 1, number["EXTENDED_ARG"], 2, number["LOAD_CONST"], 3)), 0, opcodes)
    assert step is not None
    assert step.arg == 0x10203
    assert step.name == "LOAD_CONST"
    free = next(key for key in range(255, 0, -1) if key not in opcodes.operations)
    broken = decode(bytes((free, 0)), 0, opcodes)
    assert broken is not None
    assert not broken.known


def test_code_that_no_compiler_writes_is_judged_by_its_names():
    code = CodeObject("3.11", 0, 0, bytes((231, 1, 230, 7)) * 8, ("echo 1",), ("os", "system"), (), (), "x", "x", "x", 1, b"", 0)
    facts = walked(code, "3.11")
    assert [fact.kind for fact in facts if isinstance(fact, Anomaly)] == ["parser-confusion"]
    assert {"os", "os.system"} <= set(imports(facts))


def test_a_jump_over_garbage_hides_nothing():
    code = assembled(
        ("RESUME", 0),
        ("JUMP_FORWARD", 1),
        ("RESERVED", 0),
        ("LOAD_SMALL_INT", 0),
        ("LOAD_CONST", 0),
        ("IMPORT_NAME", 0),
        ("LOAD_ATTR", 3),
        ("LOAD_CONST", 1),
        ("CALL", 1),
        ("RETURN_VALUE", 0),
        consts=(None, "echo 1"),
        names=("os", "system"),
    )
    assert calls(walked(code, "3.14")) == ["os.system('echo 1')"]


# marshal


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        ...,
        0,
        -1,
        2**31,
        -(2**100),
        1.5,
        float("inf"),
        2j,
        b"",
        b"x" * 300,
        "",
        "é",
        "\ud800",
        "a" * 300,
        (),
        (1, (2, ())),
        [1, [2]],
        {"a": 1},
        {1, 2},
        frozenset({3}),
    ],
)
@pytest.mark.parametrize("form", [0, 1, 2, 3, 4])
def test_marshal_forms(value, form):
    reader = Unmarshaller(marshal.dumps(value, form), "3.11")
    found = reader.load()
    assert reader.position == len(reader.data)
    if isinstance(value, (list, set, frozenset)):
        assert isinstance(found, Sequence)
        assert len(found.items) == len(value)
        assert found.kind == type(value).__name__
    elif isinstance(value, dict):
        assert found.items == ["a", 1]
    else:
        assert found == value


def test_marshal_slices_of_3_14():
    assert Unmarshaller(b":i\x01\0\0\0NN", "3.11").load().items == [1, None, None]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"(",
        b"(\xff\xff\xff\x7f",
        b"s\xff\xff\xff\xff",
        b"r\0\0\0\0",
        b"\xa8\x01\0\0\0r\0\0\0\0",
        b"?",
        b"0" + b"(\x01\0\0\x000",
        b"{N",
        b"l\x01\0\0\0\xff\xff",
        b"u\x01\0\0\0\xff",
        b"c" + bytes(8),
        b"f\x01x",
    ],
)
def test_broken_marshal_is_refused(data):
    reader = Unmarshaller(data, "3.11")
    with pytest.raises(MarshalError):
        reader.load()


def test_marshal_bounds():
    with pytest.raises(MarshalError):
        Unmarshaller(b"(\x01\0\0\0" * 3000 + b"N", "3.11").load()
    assert Unmarshaller(b"[\x01\0\0\0" * 1500 + b"N", "3.11").load()
    assert Unmarshaller(b"l\x00\x10\0\0" + b"\x01\0" * 4096, "3.11").load() == BigInt(4096)
    doubling = b"".join(b"\xa9\x02" for _ in range(60)) + b"NN"
    assert load_all(doubling)[0] == []
    bomb = b"(\x28\0\0\0\xa9\x00" + b"".join(
        b"\xa9\x02r" + n.to_bytes(4, "little") + b"r" + n.to_bytes(4, "little") for n in range(39)
    )
    facts = facts_of(bomb, "x", "marshal")
    assert len(facts) < 10


@settings(max_examples=250)
@given(st.binary(max_size=200))
def test_any_bytes_as_marshal(data):
    facts_of(data, "x", "marshal")
    facts_of(b"\xe3" + data, "x", "marshal-run")


@settings(max_examples=250)
@given(st.sampled_from(sorted(FIXTURES)), st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=6))
def test_flipped_bytes_in_compiled_modules(version, flips):
    data = bytearray(pyc(version))
    for position, value in flips:
        data[position % len(data)] = value
    facts_of(bytes(data), "module.pyc")


@settings(max_examples=150)
@given(st.sampled_from(VERSIONS[5:]), st.binary(max_size=120))
def test_any_instructions(version, code):
    made = CodeObject("3.11", 0, 0, code, ("echo", 1, (1, 2)), ("os", "system", "eval"), ("a", "b"), (), "x", "x", "x", 1, b"", 0)
    walked(made, version)
