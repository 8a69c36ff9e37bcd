"""Pickles of protocols 0 to 5: many streams in one file, gaps between them, broken tails, joblib arrays, legacy PyTorch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator

from toadstone.core.blob import Blob, BytesBlob, JoinedBlob
from toadstone.core.budget import BudgetError
from toadstone.core.fact import Anomaly, Call, Fact, Import
from toadstone.core.regex import regex
from toadstone.core.value import Excerpt, Opaque, Result, Symbol
from toadstone.readers.flood import thinned
from toadstone.readers.pickle.embedded import embedded_pickle
from toadstone.readers.pickle.joblib import COMPANIONS, WRAPPERS, array_bytes, array_file
from toadstone.readers.pickle.machine import Machine
from toadstone.readers.pickle.memo import MOST_READ
from toadstone.readers.pickle.opcodes import NAMES
from toadstone.readers.pickle.payload import Payloads
from toadstone.readers.pickle.skim import STEP_BYTES, Halt, Skimmed, skim, slots_read
from toadstone.readers.pickle.state import Detour, Stream
from toadstone.readers.pickle.tape import WINDOW, Tape
from toadstone.readers.pickle.torch_legacy import LegacyLayout
from toadstone.readers.reader import Reader, Source

_KEEP_ALL = 1 << 20
"""Streams of blobs up to this size keep their whole memo; longer ones are asked first what they read back."""

_SHORT = 1 << 16
"""Plain streams up to this size are followed by the interpreter all the same: their value may explain what comes next."""

_CUTS = 16
_CUT_BYTES = 4 << 20
"""How often, and how much of, a stream is followed once more because its frames contradict its content."""

_SAME, _SAME_LENGTH = 4, 1 << 12
"""How often the same short string is looked into for a pickle; a second look shows nothing new."""

_COST_OF_EMBEDDED = 600
"""Steps that a pickle inside a string costs: it is a file of its own."""

_CARVED = 20_000
_MOST_TRIED = 32
_SUFFIXES = frozenset(
    {".pkl", ".pickle", ".p", ".pk", ".joblib", ".jbl", ".pt", ".pth", ".ckpt", ".sav", ".dill", ".model", ".pck"}
)
_NESTED = {
    "torch.storage._load_from_bytes": "",
    "numba.core.serialize._unpickle__CustomPickled": "pickle",
    "pickle.loads": "pickle",
    "_pickle.loads": "pickle",
    "cloudpickle.loads": "pickle",
    "dill.loads": "pickle",
    "dill._dill.loads": "pickle",
    "marshal.loads": "marshal-run",
    "spacy.vocab.unpickle_vocab": "pickle",
    "spacy.tokens.doc.unpickle_doc": "pickle",
}
"""Callables that deserialise the bytes they are given: which reader these are handed to (empty: by content)."""
_CODE_MAKERS = frozenset({"types.CodeType", "dill._dill._create_code"})
_MODULE = regex(r"[^\W\d]\w*(\.[^\W\d]\w*)*\Z")


def follow(source: Source, start: int, *, stop: int | None = None, deep: bool = True) -> Generator[Fact, None, Stream]:
    """Follow the stream at ``start``: by the fast path when it is plain, else by the interpreter. Claims its bytes.

    Args:
        source: What holds the stream.
        start: Where it begins.
        stop: Where it ends at the latest; by default where the source does.
        deep: Whether to look into what strings and the arguments of calls hide as well.
    """
    probing = "probe" in source.notes
    skimmed = skim(source.blob, start, stop, source.budget.spend_steps)
    reached = min(skimmed.offset if isinstance(skimmed, Halt) else skimmed.end, source.blob.size)
    source.budget.spend_steps(min(reached - start, WINDOW) // STEP_BYTES)
    if isinstance(skimmed, Skimmed) and skimmed.end - start > _SHORT:
        source.coverage.read(start, skimmed.end)
        if deep and not probing:
            yield from _embedded(source, list(skimmed.strings))
        return Stream(skimmed.end)
    wanted = None
    if isinstance(skimmed, Halt) and source.blob.size - start > _KEEP_ALL:
        wanted = set() if probing else slots_read(source.blob, skimmed.offset, skimmed.slots, source.budget.spend_steps)
        if wanted is not None and len(wanted) > MOST_READ:
            yield source.unread(f"more than {MOST_READ:,} memo slots are read back; not all are followed", start)

    def inner(offset: int) -> Generator[Fact, None, int]:
        nested = yield from follow(source, offset)
        return nested.end

    def as_opcodes(offset: int) -> Iterator[Fact]:
        """What joblib takes for an array's bytes, a plain unpickler takes for opcodes."""
        outcome = _outcome(source, offset) if not probing else None
        if outcome is not None and outcome[0].acted and outcome[2]:
            yield source.anomaly("parser-confusion", "the bytes of an array are opcodes for a plain unpickler", offset)
            yield from follow(Source(source.blob, source.name, source.place, source.budget), offset)

    arrays = array_bytes(source, inner, as_opcodes)
    files = array_file(source)
    detours: dict[str, Detour] = {**dict.fromkeys(WRAPPERS, arrays), **dict.fromkeys(COMPANIONS, files)}
    machine = Machine(Tape(source.blob, stop), source.place, wanted, detours, source.budget.spend_steps)
    if probing or not deep:
        return (yield from machine.run(start))
    machine.crowded = source.budget.crowded
    machine.full_of_strings = lambda: _embedded(source, machine.strings)
    stream = yield from _with_code(source, machine, start)
    source.coverage.read(start, stream.end)
    yield from _embedded(source, machine.strings)
    if machine.cuts:
        yield from _as_cut(source, start, stream.end, machine.cuts)
    return stream


def _with_code(source: Source, machine: Machine, start: int) -> Generator[Fact, None, Stream]:
    """Pass facts on, and read the code objects that calls make."""
    payloads, run = Payloads(source, machine), machine.run(start)
    while True:
        try:
            fact = next(run)
        except StopIteration as done:
            stream: Stream = done.value
            yield from payloads.held(source.place, stream.value)
            return stream
        yield fact
        if isinstance(fact, Call):
            yield from payloads.of(fact)
        if isinstance(fact, Call) and len(fact.args) >= 12 and _makes_code(fact):
            from toadstone.readers.code.pickled import code_facts  # noqa: PLC0415  (few pickles carry code)

            yield from code_facts(source, fact)
        elif isinstance(fact, Call) and isinstance(fact.callee, Symbol) and str(fact.callee) in _NESTED:
            yield from _nested(source, fact)
        elif isinstance(fact, Call) and isinstance(fact.callee, Symbol) and str(fact.callee) in _CODE_MAKERS:
            yield source.anomaly(
                "parser-confusion", "a code object is made from arguments that cannot be told before loading", fact.place.offset
            )


def _makes_code(call: Call) -> bool:
    from toadstone.readers.code.pickled import looks_like_code  # noqa: PLC0415  (few calls have as many arguments)

    return looks_like_code(call.args)


def _nested(source: Source, call: Call) -> Iterator[Fact]:
    """Hand on the bytes that a call deserialises: they are a file of their own."""
    hint = _NESTED[str(call.callee)]
    told = False
    for index, content in enumerate(call.args):
        name = f"@{call.place.offset}({str(call.callee).rpartition('.')[2]}{f' {index}' if index else ''})"
        if isinstance(content, str) and not index:  # protocols 0 to 2 write bytes as text
            content = content.encode("latin-1", "replace")  # noqa: PLW2901
        if isinstance(content, bytes):
            blob: Blob = BytesBlob(content)
        elif isinstance(content, Excerpt):
            blob = source.blob.window(content.offset, content.length)
        else:
            continue
        # nothing is unpickled that begins with an instruction which needs something on the stack: a state in MessagePack
        yield source.member(name, blob, hint if not index or blob.read(0, 1) <= b"\x80" else "")
        told = True
    if not told:
        yield source.unread("what is deserialised here cannot be told before loading", call.place.offset)


def _as_cut(source: Source, start: int, stop: int, cuts: list[tuple[int, int]]) -> Iterator[Fact]:
    """Follow the stream once more as the C unpickler reads it when arguments run over the ends of frames."""
    done = len(source.notes.get("cut", ""))
    if done == _CUTS or done * (stop - start) > _CUT_BYTES:
        yield source.unread("frames contradict their content too often", start)
        return
    begin, end = cuts[0]
    end = min(end, source.blob.size)
    shorter = JoinedBlob([source.blob.window(0, begin), source.blob.window(end, source.blob.size - end)])
    other = Source(shorter, source.name, source.place, source.budget)
    other.notes["cut"] = source.notes.get("cut", "") + "x"
    yield from follow(other, start)


def _embedded(source: Source, strings: list[tuple[int, int, bool]]) -> Iterator[Fact]:
    """Hand on the pickles that hide in strings, if they are whole."""
    same: Counter[bytes] = Counter()
    for offset, length, _is_bytes in strings:
        if source.budget.crowded():
            return
        try:
            if length <= _SAME_LENGTH:
                content = source.blob.read(offset, length)
                same[content] += 1
                if same[content] > _SAME:
                    continue
            found = held_pickle(source, source.blob, offset, length)
            if found is not None:
                source.budget.spend_steps(_COST_OF_EMBEDDED)
        except BudgetError as error:
            yield source.unread(f"strings that may hold pickles: {error}", offset)
            return
        if found is not None:
            blob, stages = found
            name = f"@{offset}" + (f"({stages})" if stages else "")
            source.notes["embedded"] = name
            yield source.member(name, blob, "pickle")


def held_pickle(source: Source, blob: Blob, offset: int, length: int) -> tuple[Blob, str] | None:
    """Find the pickle that a text holds, as it is or encoded: one complete stream that imports something.

    Returns:
        The pickle and the names of its encodings; None for anything else (digests begin like pickles by chance).

    Raises:
        BudgetError: Looking cost too much.
    """
    found = embedded_pickle(blob, offset, length, source.budget)
    return found if found is not None and _whole(Source(found[0], "", source.place, source.budget)) else None


def _whole(source: Source) -> bool:
    """Whether a blob is one complete stream that imports something (plain data inside strings is nobody's danger)."""
    trial = _trial(source, 0)
    return not trial.broken and trial.acted


def _trial(source: Source, start: int) -> Stream:
    """Follow a stream for its outcome alone."""
    budget = source.budget.trial()
    run = follow(Source(source.blob, source.name, source.place, budget, notes={"probe": ""}), start)
    try:
        while True:
            next(run)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    finally:
        source.budget.settle(budget)


def read(source: Source) -> Iterator[Fact]:
    """Read every stream of a pickle file."""
    yield from thinned(source, _streams(source))


def _streams(source: Source) -> Iterator[Fact]:
    if source.hint == "pickle-part":
        return  # that has been read, from the same offset
    if source.coverage.covered:
        yield source.anomaly("parser-confusion", "the same bytes are a pickle and something else", 0)
    offset = 0
    layout = LegacyLayout(source, lambda offset: _runs(source, offset))
    while offset < source.blob.size:
        stream = yield from follow(source, offset)
        if stream.broken:
            if stream.acted:
                yield source.anomaly("malformed", f"{stream.broken}; what came before has already run by then", stream.end)
            yield source.unread(f"pickle stream broken: {stream.broken}", stream.end)
            offset = stream.end
            break
        offset = layout.after(stream.value, stream.persistent, stream.end)
        if not _begins(source, offset):
            break


def _begins(source: Source, offset: int) -> bool:
    """Whether another stream begins right here."""
    head = source.blob.read(offset, 2)
    if len(head) == 2 and head[0] == 0x80 and head[1] <= 5:
        return True
    return bool(head) and head[0] in NAMES and head[0] != 0x2E and _plausible(source, offset)


def _plausible(source: Source, start: int) -> bool:
    """Whether what begins here without a header really is a pickle, and not text or data that happens to begin like one.

    It must have called something by a name that can be a module's before anything went wrong (whatever comes behind that
    call, it has run by then); or end in ``STOP``, and act, or end the file, or be followed by another pickle. Under a
    pickle's file name, importing is enough.
    """
    for _ in range(_MOST_TRIED):
        outcome = _outcome(source, start)
        if outcome is None:
            return False
        stream, regular, called = outcome
        if called:
            return True
        if stream.broken:
            return stream.acted and regular and source.suffix in _SUFFIXES
        if not regular:
            return False
        if stream.acted or (stream.end == source.blob.size and stream.end - start > 2):
            return True
        head = source.blob.read(stream.end, 2)
        if len(head) < 2 or head[0] not in NAMES:
            return False
        if head[0] == 0x80 and head[1] <= 5:
            return True
        start = stream.end
    return True


def _outcome(source: Source, start: int) -> tuple[Stream, bool, bool] | None:
    """Follow a stream until it calls; give what became of it, whether it was regular, and whether it called.

    None if its names cannot be those of modules.
    """
    budget = source.budget.trial()
    run = follow(Source(source.blob, source.name, source.place, budget, notes={"probe": ""}), start)
    regular = True
    try:
        while True:
            fact = next(run)
            if isinstance(fact, Import) and fact.symbol.module and not _MODULE.match(fact.symbol.module):
                return None
            if isinstance(fact, Call) and isinstance(fact.callee, (Symbol, Result, Opaque)) and regular:
                return Stream(start, broken="not followed further", acted=True), True, True
            regular = regular and not isinstance(fact, Anomaly)
    except StopIteration as done:
        return done.value, regular, False
    finally:
        source.budget.settle(budget)


def carve(source: Source, start: int, stop: int) -> Iterator[Fact]:
    """Look for whole pickles in bytes that nothing announces (a loader may seek to them).

    One without a header is short and has to call something; text that begins like one does not get that far.
    """
    position = start
    tried = bare = 0
    previous = b""
    for chunk in source.blob.chunks(start, stop - start):
        text = previous + chunk
        at = position - len(previous)
        for found in _HEADER.finditer(text, max(len(previous) - 1, 0)):
            if tried >= _CARVED:
                return
            tried += 1
            offset = at + found.start()
            part = source.blob.window(offset, stop - offset)
            if _whole(Source(part, "", source.place, source.budget)):
                yield from _carved(source, offset, part)
                return
        for found in _GLOBAL.finditer(text):
            if bare >= _BARE:
                break
            if at + found.end() <= position:
                continue
            bare += 1
            offset = at + found.start()
            offset -= offset > start and source.blob.read(offset - 1, 1) == b"("
            part = source.blob.window(offset, min(stop - offset, _BARE_READ))
            inner = Source(part, "", source.place, source.budget)
            if _runs(inner, 0) and _whole(inner):
                yield from _carved(source, offset, part)
                return
        previous = text[-_GLOBAL_LENGTH:]
        position += len(chunk)


def _carved(source: Source, offset: int, part: Blob) -> Iterator[Fact]:
    yield source.anomaly("hidden-data", "a pickle lies in bytes that nothing announces", offset)
    yield source.member(f"@{offset}", part, "pickle-part")


_HEADER = regex(rb"\x80[\x02-\x05]")
_GLOBAL = regex(rb"c[A-Za-z_][\w.]{0,99}\n[A-Za-z_][\w.]{0,99}\n")
"""A global by name, with which pickles of protocols 0 and 1 that attack begin."""
_GLOBAL_LENGTH = 203
_BARE = 100
_BARE_READ = 64 << 10


def _read_part(source: Source) -> Iterator[Fact]:
    """Read one carved stream; what lies behind it belongs to the file around it."""
    stream = yield from follow(source, 0)
    source.coverage.inert(stream.end, source.blob.size)


def _runs(source: Source, offset: int) -> bool:
    """Whether a plain unpickler that begins here calls something before anything goes wrong."""
    head = source.blob.read(offset, 1)
    outcome = _outcome(source, offset) if head and head[0] in NAMES else None
    return outcome is not None and outcome[2]


def _claims(source: Source) -> bool:
    head = source.blob.read(0, 1)
    if not head or head[0] not in NAMES or head[0] in (0x80, 0x2E):
        return False
    if source.coverage.covered:  # another format as well: only what certainly runs makes it a pickle
        if head == b"P":
            return False  # a zip's first byte is PERSID: every unpickler without a hook of its own stops right there
        outcome = _outcome(source, 0)
        return outcome is not None and outcome[2]
    return _plausible(source, 0)


READERS = (
    Reader("pickle", read, heads=tuple(bytes([0x80, version]) for version in range(6)), claims=_claims, always=True, rank=78),
    Reader("pickle-part", _read_part),
)
