"""The messages of ``onnx.proto``: what each field is called and how it is read.

Kinds: ``int``, ``sizes`` (a repeated number), ``text`` and ``texts`` (a repeated text) are kept,
``scalars`` and ``bytes`` are read or passed over, everything else names a message.
"""

from __future__ import annotations

_TEXT = "text"
_TEXTS = "texts"
_INT = "int"
_BYTES = "bytes"
_SCALARS = "scalars"
_SIZES = "sizes"
_ENTRY = "StringStringEntryProto"
_TENSOR = "TensorProto"
_SPARSE = "SparseTensorProto"
_TYPE = "TypeProto"
_VALUE = "ValueInfoProto"
_SHAPE = "TensorShapeProto"

SCHEMA: dict[str, dict[int, tuple[str, str]]] = {
    "ModelProto": {
        1: ("ir_version", _INT),
        2: ("producer_name", _TEXT),
        3: ("producer_version", _TEXT),
        4: ("domain", _TEXT),
        5: ("model_version", _INT),
        6: ("doc_string", _TEXT),
        7: ("graph", "GraphProto"),
        8: ("opset_import", "OperatorSetIdProto"),
        14: ("metadata_props", _ENTRY),
        20: ("training_info", "TrainingInfoProto"),
        25: ("functions", "FunctionProto"),
        26: ("configuration", "DeviceConfigurationProto"),
    },
    "GraphProto": {
        1: ("node", "NodeProto"),
        2: ("name", _TEXT),
        5: ("initializer", _TENSOR),
        10: ("doc_string", _TEXT),
        11: ("input", _VALUE),
        12: ("output", _VALUE),
        13: ("value_info", _VALUE),
        14: ("quantization_annotation", "TensorAnnotation"),
        15: ("sparse_initializer", _SPARSE),
        16: ("metadata_props", _ENTRY),
    },
    "NodeProto": {
        1: ("input", _BYTES),
        2: ("output", _BYTES),
        3: ("name", _TEXT),
        4: ("op_type", _TEXT),
        5: ("attribute", "AttributeProto"),
        6: ("doc_string", _TEXT),
        7: ("domain", _TEXT),
        8: ("overload", _TEXT),
        9: ("metadata_props", _ENTRY),
        10: ("device_configurations", "NodeDeviceConfigurationProto"),
    },
    "AttributeProto": {
        1: ("name", _TEXT),
        2: ("f", _SCALARS),
        3: ("i", _INT),
        4: ("s", _TEXT),
        5: ("t", _TENSOR),
        6: ("g", "GraphProto"),
        7: ("floats", _SCALARS),
        8: ("ints", _SCALARS),
        9: ("strings", _TEXTS),
        10: ("tensors", _TENSOR),
        11: ("graphs", "GraphProto"),
        13: ("doc_string", _TEXT),
        14: ("tp", _TYPE),
        15: ("type_protos", _TYPE),
        20: ("type", _INT),
        21: ("ref_attr_name", _TEXT),
        22: ("sparse_tensor", _SPARSE),
        23: ("sparse_tensors", _SPARSE),
    },
    "FunctionProto": {
        1: ("name", _TEXT),
        4: ("input", _BYTES),
        5: ("output", _BYTES),
        6: ("attribute", _BYTES),
        7: ("node", "NodeProto"),
        8: ("doc_string", _TEXT),
        9: ("opset_import", "OperatorSetIdProto"),
        10: ("domain", _TEXT),
        11: ("attribute_proto", "AttributeProto"),
        12: ("value_info", _VALUE),
        13: ("overload", _TEXT),
        14: ("metadata_props", _ENTRY),
        2: ("since_version", _INT),
        3: ("status", _INT),
    },
    _TENSOR: {
        1: ("dims", _SIZES),
        2: ("data_type", _INT),
        3: ("segment", "Segment"),
        4: ("float_data", _SCALARS),
        5: ("int32_data", _SCALARS),
        6: ("string_data", _BYTES),
        7: ("int64_data", _SCALARS),
        8: ("name", _TEXT),
        9: ("raw_data", _BYTES),
        10: ("double_data", _SCALARS),
        11: ("uint64_data", _SCALARS),
        12: ("doc_string", _TEXT),
        13: ("external_data", _ENTRY),
        14: ("data_location", _INT),
        16: ("metadata_props", _ENTRY),
    },
    _SPARSE: {1: ("values", _TENSOR), 2: ("indices", _TENSOR), 3: ("dims", _SCALARS)},
    "Segment": {1: ("begin", _INT), 2: ("end", _INT)},
    _ENTRY: {1: ("key", _TEXT), 2: ("value", _TEXT)},
    "OperatorSetIdProto": {1: ("domain", _TEXT), 2: ("version", _INT)},
    "TrainingInfoProto": {
        1: ("initialization", "GraphProto"),
        2: ("algorithm", "GraphProto"),
        3: ("initialization_binding", _ENTRY),
        4: ("update_binding", _ENTRY),
    },
    "TensorAnnotation": {1: ("tensor_name", _TEXT), 2: ("quant_parameter_tensor_names", _ENTRY)},
    _VALUE: {1: ("name", _TEXT), 2: ("type", _TYPE), 3: ("doc_string", _TEXT), 4: ("metadata_props", _ENTRY)},
    _TYPE: {
        1: ("tensor_type", "TensorType"),
        4: ("sequence_type", "ElementType"),
        5: ("map_type", "MapType"),
        6: ("denotation", _TEXT),
        7: ("opaque_type", "OpaqueType"),
        8: ("sparse_tensor_type", "TensorType"),
        9: ("optional_type", "ElementType"),
    },
    "TensorType": {1: ("elem_type", _INT), 2: ("shape", _SHAPE)},
    "ElementType": {1: ("elem_type", _TYPE)},
    "MapType": {1: ("key_type", _INT), 2: ("value_type", _TYPE)},
    "OpaqueType": {1: ("domain", _TEXT), 2: ("name", _TEXT)},
    _SHAPE: {1: ("dim", "Dimension")},
    "Dimension": {1: ("dim_value", _INT), 2: ("dim_param", _TEXT), 3: ("denotation", _TEXT)},
    "DeviceConfigurationProto": {1: ("name", _TEXT), 2: ("num_devices", _INT), 3: ("device", _BYTES)},
    "NodeDeviceConfigurationProto": {
        1: ("configuration_id", _TEXT),
        2: ("sharding_spec", "ShardingSpecProto"),
        3: ("pipeline_stage", _INT),
    },
    "ShardingSpecProto": {
        1: ("tensor_name", _TEXT),
        2: ("device", _SCALARS),
        3: ("index_to_device_group_map", "IntIntListEntryProto"),
        4: ("sharded_dim", "ShardedDimProto"),
    },
    "IntIntListEntryProto": {1: ("key", _INT), 2: ("value", _SCALARS)},
    "ShardedDimProto": {1: ("axis", _INT), 2: ("simple_sharding", "SimpleShardedDimProto")},
    "SimpleShardedDimProto": {1: ("dim_value", _INT), 2: ("dim_param", _TEXT), 3: ("num_shards", _INT)},
}
