"""`tensorflow-operator`: a TensorFlow graph that acts outside itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Moment, Operator
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place
from toadstone.core.value import Opaque, render
from toadstone.symbols.arguments import Look, looks_of

_PYTHON = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})
_NATIVE = frozenset({"XlaCustomCall", "XlaCustomCallV2"})
_WRITES = frozenset({
    "WriteFile", "SaveDataset", "SaveDatasetV2", "DatasetToTFRecord", "ExperimentalDatasetToTFRecord", "DistributedSave",
    "DumpTensor", "CalibrationStatisticsSaver", "CreateSummaryFileWriter", "CreateSummaryDbWriter", "SnapshotDataset",
    "SnapshotDatasetV2",
})  # fmt: skip
_WRITERS_OF_TRAINING = frozenset({
    "CreateSummaryFileWriter", "CreateSummaryDbWriter", "SnapshotDataset", "SnapshotDatasetV2", "DistributedSave",
    "CalibrationStatisticsSaver",
})  # fmt: skip
_SAVES = frozenset({"Save", "SaveSlices", "SaveV2", "MergeV2Checkpoints"})
_RESTORES = frozenset({"Restore", "RestoreSlice", "RestoreV2", "DTensorRestoreV2", "LoadAndRemapMatrix"})
_READS = frozenset({"ReadFile", "MatchingFiles"})
_DATA = frozenset({
    "TextLineDataset", "TFRecordDataset", "TFRecordDatasetV2", "FixedLengthRecordDataset", "FixedLengthRecordDatasetV2",
    "CSVDataset", "CSVDatasetV2", "ExperimentalCSVDataset", "LMDBDataset", "ExperimentalLMDBDataset", "MatchingFilesDataset",
    "ExperimentalMatchingFilesDataset", "SqlDataset", "ExperimentalSqlDataset", "CacheDataset", "CacheDatasetV2",
    "LoadDataset", "SnapshotDatasetReader", "SnapshotChunkDataset", "ListSnapshotChunksDataset", "RecordInput", "Skipgram",
    "FixedUnigramCandidateSampler", "DecodeProtoV2", "EncodeProto", "ImmutableConst",
})  # fmt: skip
_TABLES = frozenset({"InitializeTableFromTextFile", "InitializeTableFromTextFileV2", "GenerateVocabRemapping"})
_SERVICES = frozenset({
    "DataServiceDataset", "DataServiceDatasetV2", "DataServiceDatasetV3", "DataServiceDatasetV4", "RegisterDataset",
    "RegisterDatasetV2",
})  # fmt: skip
"""Of the distributed input pipelines of training; an exported model that names a server of its own has no honest use for it."""
_NETWORK = _SERVICES | {"RpcServer", "RpcClient", "RpcCall", "RpcServerRegister", "RemoteCall"}
_DEBUG = frozenset(
    {"DebugIdentity", "DebugIdentityV2", "DebugIdentityV3", "DebugNanCount", "DebugNumericSummary", "Copy", "CopyHost"}
)
_LOCATION = {
    "debug_urls", "debug_ops_spec", "output_stream", "filename", "filenames", "pattern", "patterns", "path", "prefix",
    "directory", "address", "logdir", "db_uri", "data_source_name", "file_pattern", "vocab_file", "descriptor_source",
    "memory_region_name", "destination_prefix", "checkpoint_prefixes", "ckpt_path", "server_address", "cluster_def",
    "log_dir_path", "output_file_path", "shard_dir", "chunk_file", "snapshot_path", "new_vocab_file", "old_vocab_file",
}  # fmt: skip
"""Inputs and attributes that say where an operator acts."""

_SENSITIVE = re.compile(
    r"(?:file:(?://)?)?/(?:etc|proc|sys|boot|var/run|run/secrets|var/spool/cron)(?:/|$)"
    r"|(?:.*[/\\])?(?:\.(?:ssh|aws|kube|docker|netrc|git-credentials|gnupg|env|bash_history|bashrc|bash_profile|profile|zshrc|pgpass|npmrc|pypirc)"
    r"|id_rsa|id_ed25519|id_ecdsa|authorized_keys|shadow|passwd|System32)(?:[/\\]|$)|.*169\.254\.169\.254",
    re.IGNORECASE | re.DOTALL,
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?://|//?/)?")
_LOCAL_SCHEMES = frozenset({"memmapped_package", "ram", "local", "bytes", "gs", "s3", "hdfs", "viewfs", "cns"})
_ABSOLUTE = re.compile(r"[/~\\]|[A-Za-z]:[\\/]|file:")


@check(
    "tensorflow-operator",
    severity=Severity.HIGH,
    reads=Operator,
    references=(
        "CWE-73",
        "CWE-94",
        "CWE-829",
        "MITRE ATLAS 2026.08 AML.T0018.002",
        "OWASP LLM 2026 LLM04",
        "OWASP ML 2023 ML06",
    ),
)
class TensorflowOperator(Check):
    """A TensorFlow graph reads or writes files, opens connections, or runs code of the host.

    ## Why it matters
    TensorFlow's own security guide says it: models are programs. A SavedModel holds no pickle, and yet its graph may write a
    start-up script, read a key and return it as a prediction, or send every input to an address, without a single custom
    operator. It does so when the model is used, or, from an initialiser, as soon as it is loaded.

    ## How it decides
    The text that reaches an operator is followed through the graph and through calls of functions. `high`: operators that call
    Python functions of the process or native functions by name; that write files, also to paths that the caller chooses; that
    dump tensors to files or addresses for debugging; `PrintV2` into a file; `ReadFile` and `MatchingFiles` with a path in the
    graph; data sets, tables and other readers with an absolute path, a sensitive one, or an address; savers that write to an
    absolute path; `Abort`. `medium`: reading files that the caller names, relative paths, connections to addresses of the
    cluster, and absolute paths in what only trainers load (`.meta`, `graph.pbtxt`) or in vocabularies of frozen graphs.
    Silent: the savers of every SavedModel, tables that are filled from assets, printing to the console.

    ## What it misses
    Paths that are computed from numbers, and what operators of foreign libraries do (`custom-operator` reports that they are
    there).

    ## Remedy
    Do not load the model. Ask for an export without these operators; a vocabulary belongs into the assets of the model.

    ## References
    TensorFlow "Using TensorFlow Securely" (SECURITY.md); CWE-73, CWE-94.
    """

    allow: frozenset[str] = frozenset()
    """Operators that this project has reviewed, by name."""

    def examine(self, fact: Operator) -> Iterator[Finding]:
        """Judge one operator."""
        if fact.domain not in ("tensorflow", "tensorflow.training") or fact.name in self.allow:
            return
        training = fact.domain == "tensorflow.training"
        judged = _judged(fact, training=training)
        if judged is None:
            return
        severity, deed = judged
        moment = "as soon as the model is loaded" if fact.when is Moment.LOAD else "when the model runs"
        where = _shown(fact)
        yield self.finding(
            fact.place,
            f"Operator {fact.name} {deed}{where}, {moment}.",
            severity=severity,
            key=f"{fact.name}{where}",
            operator=fact.name,
            node=fact.node,
            moment=fact.when.value,
            arguments={name: render(value, 200) for name, value in fact.arguments[:12]},
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give operators that run, write, read, send and stop."""
        place = Place("model/saved_model.pb", offset=40)
        yield Operator(place, "tensorflow", "PyFunc", "node", (("token", "pyfunc_0"),))
        yield Operator(place, "tensorflow", "WriteFile", "node", (("filename", "/home/user/.profile"),), Moment.LOAD)
        yield Operator(place, "tensorflow", "ReadFile", "node", (("filename", "/etc/hostname"),))
        yield Operator(place, "tensorflow", "ReadFile", "node", (("filename", Opaque("an input of the model")),))
        yield Operator(place, "tensorflow", "TextLineDataset", "node", (("filenames", "/root/.aws/credentials"),))
        yield Operator(place, "tensorflow", "DebugIdentityV3", "node", (("debug_urls", "grpc://192.0.2.7:6006"),))
        yield Operator(place, "tensorflow", "PrintV2", "node", (("output_stream", "file:///tmp/out"),))
        yield Operator(place, "tensorflow", "SaveV2", "node", (("prefix", "/home/user/model"),))
        yield Operator(place, "tensorflow", "Abort", "node")
        yield Operator(place, "tensorflow.training", "TFRecordDatasetV2", "node", (("filenames", "/data/train.tfrecord"),))

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give what every exported model has, and an operator of another format."""
        place = Place("model/saved_model.pb", offset=40)
        yield Operator(place, "tensorflow", "SaveV2", "node", (("prefix", Opaque("an input of the model")), ("prefix", "part")))
        yield Operator(place, "tensorflow", "RestoreV2", "node", (("prefix", "model"),))
        yield Operator(place, "tensorflow", "InitializeTableFromTextFileV2", "node")
        yield Operator(place, "tensorflow", "PrintV2", "node", (("output_stream", "stderr"),))
        yield Operator(Place("model.onnx"), "ai.onnx.ml", "TreeEnsembleClassifier", "tree")


def _judged(fact: Operator, *, training: bool) -> tuple[Severity, str] | None:
    """Give severity and deed of an operator; None for what every model does."""
    name = fact.name
    places = [value for label, value in fact.arguments if label in _LOCATION and isinstance(value, str) and value]
    if name in _PYTHON:
        return Severity.HIGH, "calls a Python function of the process"
    if name in _NATIVE:
        return _native(fact)
    if name == "Abort":
        return Severity.HIGH, "ends the process"
    if name in _WRITES:
        return (
            Severity.MEDIUM if training and name in _WRITERS_OF_TRAINING and not _bad(places) else Severity.HIGH
        ), "writes a file"
    if name in _SAVES:
        leaves = not training and any(map(_leaves, places))
        return (Severity.HIGH, "writes a checkpoint") if leaves or _bad(places) else None
    if name in _DEBUG or name == "PrintV2":
        return _debugged(name, places)
    if name in _NETWORK or name == "ConfigProto":
        fixed = name in ("RpcServer", "RpcClient") or (name in _SERVICES and any("://" in place for place in places))
        return Severity.HIGH if fixed else Severity.MEDIUM, "opens connections"
    return _read(fact, places, training=training)


def _read(fact: Operator, places: list[str], *, training: bool) -> tuple[Severity, str] | None:
    """Judge an operator that reads files."""
    name = fact.name
    if _bad(places):
        return Severity.HIGH, "reads a file that is none of a model's business"
    if name in _READS:
        given = any(isinstance(value, Opaque) for _, value in fact.arguments)
        severity = Severity.MEDIUM if training or (given and not places) else Severity.HIGH
        return severity, "reads a file" if places or not given else "reads files that the caller names"
    if name in _RESTORES:
        return (Severity.LOW, "reads a checkpoint") if any(map(_leaves, places)) else None
    if name in _TABLES:
        return (Severity.MEDIUM, "reads a vocabulary") if places else None
    if name in _DATA and places:
        outside = any(map(_leaves, places))
        if name in ("DecodeProtoV2", "EncodeProto", "ImmutableConst", "FixedUnigramCandidateSampler") and not outside:
            return None
        return (Severity.HIGH if outside and not training else Severity.MEDIUM), "reads files"
    return (Severity.MEDIUM, "configures the access to files") if name == "FileSystemSetConfiguration" else None


def _native(fact: Operator) -> tuple[Severity, str]:
    given = {look for look in looks_of([value for _, value in fact.arguments]) if look is not Look.ENCODED}
    return (Severity.HIGH if given else Severity.MEDIUM), "calls a native function by name"


def _debugged(name: str, places: list[str]) -> tuple[Severity, str] | None:
    """Dumping tensors needs a place; `PrintV2` and the copies of a graph under a debugger have none."""
    aims = [place for place in places if name != "PrintV2" or place.startswith("file:")]
    if not aims or (name in ("Copy", "CopyHost") and not any("://" in place for place in aims)):
        return None
    return Severity.HIGH, "prints into a file" if name == "PrintV2" else "sends tensors elsewhere"


def _leaves(path: str) -> bool:
    """Whether a path is absolute, climbs, or is an address."""
    scheme = _SCHEME.match(path)
    if scheme and len(scheme[1]) > 1:
        return scheme[1].lower() not in _LOCAL_SCHEMES or scheme[1].lower() in ("gs", "s3", "hdfs")
    return bool(_ABSOLUTE.match(path)) or ".." in re.split(r"[/\\]", path)


def _bad(paths: list[str]) -> bool:
    """Whether a path is a sensitive one, or an address of a server rather than of a store."""
    for path in paths:
        scheme = _SCHEME.match(path)
        if _SENSITIVE.match(path) or (
            scheme and scheme[1].lower() in ("http", "https", "ftp", "ftps", "tcp", "grpc", "smb", "ldap")
        ):
            return True
    return False


def _shown(fact: Operator) -> str:
    places = [value for label, value in fact.arguments if label in _LOCATION and isinstance(value, str) and value]
    return f": {', '.join(places[:3])[:200]}" if places else ""
