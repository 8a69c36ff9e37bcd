"""Operators of TensorFlow that act outside the graph: on files, on hosts, on the process; and those that only hand on text.

Source: the operator definitions of TensorFlow 2.21 (``tensorflow/core/ops``); inputs are named in the order of their definition.
"""

from __future__ import annotations

_INPUTS = """
ReadFile filename
WriteFile filename contents
MatchingFiles pattern
WholeFileReader
WholeFileReaderV2
TextLineReader
TextLineReaderV2
FixedLengthRecordReader
FixedLengthRecordReaderV2
TFRecordReader
TFRecordReaderV2
LMDBReader
RecordInput
TextLineDataset filenames
TFRecordDataset filenames
TFRecordDatasetV2 filenames
FixedLengthRecordDataset filenames
FixedLengthRecordDatasetV2 filenames
CSVDataset filenames
CSVDatasetV2 filenames
ExperimentalCSVDataset filenames
LMDBDataset filenames
ExperimentalLMDBDataset filenames
MatchingFilesDataset patterns
ExperimentalMatchingFilesDataset patterns
SqlDataset driver_name data_source_name query
ExperimentalSqlDataset driver_name data_source_name query
CacheDataset _ filename
CacheDatasetV2 _ filename
LoadDataset path
SaveDataset _ path
SaveDatasetV2 _ path
SnapshotDataset _ path
SnapshotDatasetV2 _ path
SnapshotDatasetReader shard_dir
SnapshotChunkDataset chunk_file
ListSnapshotChunksDataset snapshot_path
DatasetToTFRecord _ filename
ExperimentalDatasetToTFRecord _ filename
DistributedSave _ directory address
DataServiceDataset dataset_id processing_mode address protocol job_name
DataServiceDatasetV2 dataset_id processing_mode address protocol job_name
DataServiceDatasetV3 dataset_id processing_mode address protocol job_name
DataServiceDatasetV4 dataset_id processing_mode address protocol job_name
RegisterDataset _ address protocol
RegisterDatasetV2 _ address protocol
InitializeTableFromTextFile _ filename
InitializeTableFromTextFileV2 _ filename
GenerateVocabRemapping new_vocab_file old_vocab_file
FixedUnigramCandidateSampler
Skipgram
LoadAndRemapMatrix ckpt_path
ImmutableConst
DecodeProtoV2
EncodeProto
Save filename
SaveSlices filename
SaveV2 prefix
Restore file_pattern
RestoreSlice file_pattern
RestoreV2 prefix
MergeV2Checkpoints checkpoint_prefixes destination_prefix
DTensorRestoreV2 prefix
CreateSummaryFileWriter _ logdir
CreateSummaryDbWriter _ db_uri
PrintV2
DebugIdentity
DebugIdentityV2
DebugIdentityV3
DebugNanCount
DebugNumericSummary
Copy
CopyHost
DumpTensor
CalibrationStatisticsSaver
PyFunc
PyFuncStateless
EagerPyFunc
XlaCustomCall
XlaCustomCallV2
XlaHostCompute
_XlaHostComputeMlir
RemoteCall target
RpcServer server_address
RpcClient server_address
RpcCall _ method_name
RpcServerRegister _ method_name
FileSystemSetConfiguration scheme key value
Abort
"""

OUTSIDE: dict[str, tuple[str, ...]] = {
    words[0]: tuple(words[1:]) for line in _INPUTS.strip().splitlines() if (words := line.split())
}
"""Operators that are reported, with the names of the inputs that say where they act (``_``: an input that does not)."""

HANDED_ON = frozenset({
    "Identity", "IdentityN", "StringJoin", "Pack", "ConcatV2", "Concat", "ExpandDims", "Reshape", "Squeeze", "Select",
    "SelectV2", "Where", "StridedSlice", "Slice", "Gather", "GatherV2", "GatherNd", "Unpack", "Split", "Substr",
    "StringStrip", "StringLower", "StringUpper", "AsString", "StringFormat", "ReduceJoin", "UnicodeTranscode",
    "UnicodeEncode", "UnicodeDecode", "RegexReplace", "StaticRegexReplace", "DecodeBase64", "EncodeBase64", "ShardedFilename",
    "ShardedFilespec", "Tile", "BroadcastTo", "Snapshot", "StopGradient", "PreventGradient", "PlaceholderWithDefault",
    "Merge", "Switch", "Enter", "Exit", "EnsureShape", "Fill", "Transpose", "StringSplit", "StringSplitV2",
    "OptionalFromValue", "OptionalGetValue", "TensorSliceDataset", "TensorDataset", "Copy", "CopyHost", "CheckNumerics",
    "_Retval", "RefIdentity", "VariableV2", "Variable", "Assign", "ReverseV2", "Reverse",
})  # fmt: skip
"""Operators through which text reaches another operator, changed or not; all their inputs count."""

GIVEN = frozenset({"Placeholder", "PlaceholderV2", "_Arg", "VarHandleOp", "ReadVariableOp", "IteratorGetNext", "QueueDequeueV2"})
"""Operators whose text whoever runs the model provides."""

CALLS = {
    "PartitionedCall": 0, "StatefulPartitionedCall": 0, "If": 1, "StatelessIf": 1, "While": 0, "StatelessWhile": 0, "Case": 1,
    "StatelessCase": 1, "RemoteCall": 1, "TPUPartitionedCall": 0, "BatchFunction": 0,
}  # fmt: skip
"""Operators that call functions of the library; the number of inputs before those of the function."""
