"""Tricks with several streams in one file, and objects that act only when the model is used."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.corpus.malicious.asm import BUILD, EMPTY_TUPLE, NEWOBJ, NONE, STOP, C, Encoder, Raw, S, proto
from benchmarks.corpus.malicious.opcodes.trick import CALL, PLAIN, RUN, Trick
from benchmarks.corpus.malicious.payloads import CODE, COMMAND

P4 = proto(4)
SYSTEM = S("os:system")


def _later() -> Iterator[Trick]:
    """Objects that do nothing at load and act when the model is used."""
    partial = C("functools:partial", SYSTEM, COMMAND)
    rows: tuple[tuple[str, object], ...] = (
        ("partial-callback", {"callback": partial, "weights": [0.1, 0.2]}),
        (
            "transformer",
            Raw(
                PLAIN.encode(S("sklearn.preprocessing._function_transformer:FunctionTransformer"))
                + EMPTY_TUPLE
                + NEWOBJ
                + PLAIN.encode({"func": SYSTEM, "validate": False})
                + BUILD
            ),
        ),
        (
            "forward-hook",
            Raw(
                PLAIN.encode(S("torch.nn.modules.linear:Linear"))
                + EMPTY_TUPLE
                + NEWOBJ
                + PLAIN.encode({"_forward_pre_hooks": {0: partial}})
                + BUILD
            ),
        ),
        (
            "objective",
            Raw(
                PLAIN.encode(S("xgboost.sklearn:XGBClassifier"))
                + EMPTY_TUPLE
                + NEWOBJ
                + PLAIN.encode({"objective": S("builtins:eval")})
                + BUILD
            ),
        ),
        ("plain-reference", {"activation": S("os:system")}),
        ("exec-reference", [S("builtins:exec"), CODE]),
        (
            "instance-method",
            Raw(
                PLAIN.encode(S("sklearn.linear_model._base:LinearRegression"))
                + EMPTY_TUPLE
                + NEWOBJ
                + PLAIN.encode({"predict": partial})
                + BUILD
            ),
        ),
    )
    for name, tree in rows:
        expect = (
            "find:builtins:eval"
            if name == "objective"
            else "find:builtins:exec"
            if name == "exec-reference"
            else "find:os:system"
        )
        yield Trick(f"later-{name}", "acts-when-used", P4 + PLAIN.encode(tree) + STOP, expect)


def _streams() -> Iterator[Trick]:
    benign = Encoder(4).dumps({"epoch": 3, "loss": 0.25})
    hostile = P4 + CALL + STOP
    for name, gap in (
        ("none", b""),
        ("zeros", bytes(64)),
        ("many-zeros", bytes(4096)),
        ("newlines", b"\n\n\t\t"),
        ("junk", b"\xff\xfe--JUNK--" * 5),
        ("text", b"# metadata\n"),
    ):
        start = len(benign) + len(gap)
        options = {"starts": [0, start]}
        yield Trick(
            f"second-after-{name}",
            "second-stream",
            benign + gap + hostile,
            options=options,
            source="own" if gap else "picklescan malicious6",
        )
    yield Trick("fourth-stream", "second-stream", benign * 3 + hostile + benign)
    yield Trick("many-streams", "second-stream", benign * 9 + Encoder(0).dumps(C("posix:system", COMMAND)), "call:posix:system")
    yield Trick("after-broken-stream", "second-stream", benign[:-3] + hostile, options={"starts": [0, len(benign) - 3]})
    for name, lead in (
        ("png", b"\x89PNG\r\n\x1a\n" + bytes(24)),
        ("text", b"this is a readme\n"),
        ("zeros", bytes(512)),
        ("elf", b"\x7fELF\x02\x01\x01" + bytes(57)),
    ):
        yield Trick(f"lead-{name}", "leading-junk", lead + hostile, options={"starts": [len(lead)]})
    yield Trick("trailing-after-stop", "second-stream", P4 + NONE + STOP + RUN + hostile, options={"starts": [4, 4 + len(RUN)]})
    protocol0 = b"(dp0\nS'weights'\np1\n(lp2\nF0.5\naF0.25\nas." + b"cos\nsystem\n(S'echo toadstone-inert'\ntR."
    yield Trick("second-protocol-0", "second-stream", protocol0)


def tricks() -> Iterator[Trick]:
    """All tricks of this module."""
    yield from _later()
    yield from _streams()
