"""Facts: what a reader saw, with its place. Every reader speaks these, so a check is written once for all formats."""

from __future__ import annotations

import enum

from toadstone.core.place import Place
from toadstone.core.record import dataclass
from toadstone.core.value import Symbol, Value

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import ClassVar

    from toadstone.core.blob import Blob


class Moment(enum.Enum):
    """When the code behind a fact runs."""

    LOAD = "load"
    """While the artefact is being loaded, without any further act of the user."""
    IMPORT = "import"
    """When the module is imported or the script is run."""
    USE = "use"
    """When the model, function or template is used."""


@dataclass(frozen=True)
class Fact:
    """One thing that a reader saw."""

    place: Place


class Table(Fact):
    """A data set: rows with columns. What checks see of it is a `toadstone.study.study.Study`.

    Attributes:
        place: The data set as it was named.
        rows: How many rows it has.
    """

    def __init__(self, place: Place, rows: int) -> None:
        super().__init__(place)
        self.rows = rows

    # A fact about bytes is a frozen value; a data set is a thing that is examined in steps.
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__


@dataclass(frozen=True)
class Import(Fact):
    """A name is resolved: the module is imported and the attribute looked up.

    Attributes:
        symbol: What is resolved; an empty module means that the name is computed while loading.
        how: The opcode, statement or configuration key that does it.
        language: ``pickle``, ``python``, ``bytecode``, ``config``, ``jinja`` ...
        when: At which moment.
    """

    symbol: Symbol
    how: str
    language: str
    when: Moment = Moment.LOAD


@dataclass(frozen=True)
class Call(Fact):
    """Something is called.

    Attributes:
        callee: A `Symbol` when known; any other value otherwise. For ``BUILD`` and the item-setting opcodes it is the
            object whose state, attributes or items are set.
        args: Positional arguments, as far as they are known.
        kwargs: Named arguments.
        how: The opcode (``REDUCE``, ``BUILD``, ``SETITEMS`` ...), ``call``, ``decorator``, a configuration key ...
        language: As for `Import`.
        when: At which moment.
    """

    callee: Value
    args: tuple[Value, ...]
    kwargs: tuple[tuple[str, Value], ...]
    how: str
    language: str
    when: Moment = Moment.LOAD


@dataclass(frozen=True)
class Setting(Fact):
    """A configuration entry that a loader acts on.

    Attributes:
        schema: Who reads it: ``transformers``, ``keras``, ``sentence-transformers``, ``gguf``, ``safetensors``, ``onnx`` ...
        key: Dotted path of the entry.
        value: Its value.
    """

    schema: str
    key: str
    value: Value


@dataclass(frozen=True)
class PersistentLoad(Fact):
    """A pickle asks its loader for an object by an id that only the loader understands.

    Attributes:
        identity: The id.
    """

    identity: Value


@dataclass(frozen=True)
class Text(Fact):
    """Human-readable text that travels with a model: metadata, a template's literal, a description.

    Attributes:
        role: ``metadata``, ``template-literal``, ``docstring``, ``constant`` ...
        text: The text, possibly cut.
    """

    role: str
    text: str


@dataclass(frozen=True)
class Document(Fact):
    """A stretch of a file that is text throughout: prose, source, configuration. Read for the addresses in it, no more.

    Attributes:
        text: The stretch.
        line: 0-based line with which it begins.
    """

    text: str
    line: int = 0


@dataclass(frozen=True)
class Sighting(Fact):
    """An indicator that a published incident or a list of the user names.

    Attributes:
        type: As `toadstone.core.finding.Indicator.type`.
        value: In canonical form.
        written: As it stands in the text.
        form: How it is written: ``plain``, ``defanged``, ``integer`` ...
        sources: ``(source, label, reference)`` of everything that names it.
        shared: Whether honest people use it as well, by all of these.
        within: Kind of the fact that holds it: ``call``, ``text``, ``document`` ...
    """

    type: str
    value: str
    written: str
    form: str
    sources: tuple[tuple[str, str, str], ...]
    shared: bool
    within: str


@dataclass(frozen=True)
class Lookup(Fact):
    """A template looks up an attribute, item, filter or test.

    Attributes:
        expression: The expression as written, cut to a readable length.
        name: What is looked up; empty when it is computed.
        kind: ``attribute``, ``item``, ``filter``, ``test``, ``call``, ``include``, ``global`` (an object of the
            surroundings), ``constant`` (a special name that waits in a string).
    """

    expression: str
    name: str
    kind: str


@dataclass(frozen=True)
class Branch(Fact):
    """A template emits text only when the conversation contains something.

    Attributes:
        condition: The condition as written.
        needle: The literal that the conversation's text is compared with.
        emits: The literal text that is emitted in the branch and not beside it, cut to a readable length.
        scope: Whose text is compared: a role, ``time``, ``random``, ``length``, ``tools``; empty when it may be anyone's.
        effect: ``emit`` (text is added), ``rewrite`` (the conversation's text is changed), ``drop`` (it is left out).
    """

    condition: str
    needle: str
    emits: str
    scope: str = ""
    effect: str = "emit"


@dataclass(frozen=True)
class Operator(Fact):
    """An operator of a computation graph that is not part of its standard set.

    Attributes:
        domain: Operator domain or library; may be empty.
        name: Operator name.
        node: Name of the node that uses it.
        arguments: Text that its nodes give it, by the name of the attribute or input; bounded. An `Opaque` stands for an input
            that whoever runs the model provides.
        when: At which moment it runs.
    """

    domain: str
    name: str
    node: str
    arguments: tuple[tuple[str, Value], ...] = ()
    when: Moment = Moment.USE


@dataclass(frozen=True)
class Link(Fact):
    """The artefact refers to something outside itself.

    Attributes:
        target: Path or URL as written.
        relation: ``external-data``, ``external-link``, ``symlink``, ``hardlink``, ``read-on-load`` ...
        escapes: Whether the target lies outside the folder of the artefact.
    """

    target: str
    relation: str
    escapes: bool


@dataclass(frozen=True)
class Anomaly(Fact):
    """The bytes contradict themselves or the format, in a way that makes two readers see two things.

    Attributes:
        kind: A kebab-case name from `KINDS`.
        detail: What exactly, for a person.
    """

    kind: str
    detail: str

    KINDS: ClassVar[dict[str, str]] = {
        "name-mismatch": "a zip member has one name in the directory and another in its header",
        "duplicate-member": "two members share a name and differ in content; loaders disagree on which one counts",
        "archive-confusion": "an archive has two directories, end marks or sizes; unpackers find different members",
        "repeated-member": "a member is there twice with the same content",
        "repeated-key": "a key is given twice in one mapping, with the same value",
        "name-collision": "two names differ only in case, Unicode form or trailing dots; some loaders take them for one",
        "name-trick": "a name reads differently to a person, to a loader and to a file system",
        "header-mismatch": "sizes, method, flags or checksum differ between the two headers of a zip member",
        "checksum-mismatch": "content does not match the stored checksum",
        "path-traversal": "a member would be written outside the folder it is unpacked into",
        "special-file": "unpacking makes a device or a pipe instead of a file",
        "expansion-bomb": "unpacking needs far more than the file's size allows",
        "depth-bomb": "nesting goes deeper than any real artefact",
        "overlap": "two declared regions share bytes",
        "hidden-data": "bytes outside everything that the format declares",
        "frame-mismatch": "a pickle frame's length contradicts its content",
        "parser-confusion": "two implementations of the format read it differently",
        "resource-claim": "a declared size or count would exhaust the loader",
        "malformed": "the structure is broken where a loader may already have acted",
        "hidden-text": "characters that no person sees in text that a model reads",
        "stray-character": "one or two joiners, as they come along with copied text",
        "active-content": "an output or attachment runs script in the viewer of the document",
        "false-name": "content is an executable format under a name that promises another",
        "embedded-program": "a program inside of content that is loaded together with it",
        "tensor-overlap": "two tensors share bytes of the data region",
        "index-bounds": "an index inside a model points outside what it indexes, or in a circle",
        "tensor-bounds": "a tensor's place, size, shape and type contradict each other or the data",
        "forged-header": "a header of a form that no writer of the format produces and its reference loader refuses",
        "ambiguous-record": "an entry is given twice in what only programs write; loaders disagree on which one counts",
        "template-resource": "a template would exhaust the memory or the time of whoever renders it",
        "array-confusion": "an array inside a pickle is described so that its loader and a reader see other bytes behind it",
        "loader-mismatch": "a stored node shows a reviewer one type and makes its loader build another",
    }


@dataclass(frozen=True)
class Stage(Fact):
    """Content that was hidden behind one or more stages, taken off without running anything.

    Attributes:
        chain: What receives it, if that is known, then the stages from the last one back to the constant:
            ``("exec", "zlib", "base64", "str constant")``.
        kind: What the content is: ``text``, ``python``, ``command``, ``pickle``, ``bytecode``, ``executable``, ``archive`` ...
        text: The content of the last stage as text, cut; of binary content its readable parts.
        sink: Name of what is called with it; empty when that is not known.
        exact: Whether the code that takes the stages off was worked out. Otherwise nothing in sight does, and the constant was
            tried for what it holds.
        language: As for `Import`.
        when: When it happens.
    """

    chain: tuple[str, ...]
    kind: str
    text: str
    sink: str = ""
    exact: bool = True
    language: str = ""
    when: Moment = Moment.LOAD


@dataclass(frozen=True)
class Code(Fact):
    """Compiled or source code is carried inside a data format.

    Attributes:
        language: ``bytecode``, ``python``, ``torchscript``, ``jinja`` ...
        name: Name of the function or file.
        summary: One line for a person: size, version, constants.
    """

    language: str
    name: str
    summary: str


@dataclass(frozen=True)
class Member(Fact):
    """Something with bytes of its own is inside; the walker reads it next.

    Attributes:
        name: Name inside the parent, used for the place and for candidates.
        blob: Its bytes, already unpacked or unpacked on demand.
        hint: Kind of reader that must be tried first; empty lets the content decide.
        base: Offset to add when nothing else places it (embedded blobs); -1 otherwise.
        derived: Whether the bytes were worked out, not stored: what of them cannot be read makes nothing unread.
    """

    name: str
    blob: Blob
    hint: str = ""
    base: int = -1
    derived: bool = False


@dataclass(frozen=True)
class Claim(Fact):
    """What a server says that a file's digest is, next to what it really is.

    Attributes:
        server: Who claims it: ``the hub``, a host.
        algorithm: ``sha256`` or ``git-sha1``.
        claimed: Hexadecimal digest as claimed.
        measured: Hexadecimal digest of the bytes that were read.
    """

    server: str
    algorithm: str
    claimed: str
    measured: str


@dataclass(frozen=True)
class Opinion(Fact):
    """What a server's own scanners say of a file.

    Attributes:
        server: Who runs them.
        status: The overall word: ``safe``, ``caution``, ``suspicious``, ``unsafe``, ``unscanned``, ``queued``, ``error``.
        scanners: Each scanner's word.
    """

    server: str
    status: str
    scanners: dict[str, str]


@dataclass(frozen=True)
class Unread(Fact):
    """Bytes that nobody understood, and why. Makes the report incomplete.

    Attributes:
        reason: One sentence.
        size: Number of bytes, or -1 when not known.
    """

    reason: str
    size: int = -1
