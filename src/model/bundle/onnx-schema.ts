import type { Schema } from './protobuf.js'

/**
 * Every field of every message of onnx.proto (ONNX 1.23, whose fields include those of the older one inside onnxruntime; a test compares
 * the two), but for the messages of training and of functions, which are refused where they stand.
 */
export const ONNX: Schema = {
  ModelProto: {
    ...{ 1: 'int', 2: 'text', 3: 'text', 4: 'text', 5: 'int', 6: 'text', 7: 'GraphProto', 8: 'OperatorSetIdProto*' },
    ...{ 14: 'StringStringEntryProto*', 20: 'bytes*', 25: 'bytes*', 26: 'DeviceConfigurationProto*' }
  },
  OperatorSetIdProto: { 1: 'text', 2: 'int' },
  StringStringEntryProto: { 1: 'text', 2: 'text' },
  GraphProto: {
    ...{ 1: 'NodeProto*', 2: 'text', 5: 'TensorProto*', 10: 'text', 11: 'ValueInfoProto*', 12: 'ValueInfoProto*' },
    ...{ 13: 'ValueInfoProto*', 14: 'TensorAnnotation*', 15: 'SparseTensorProto*', 16: 'StringStringEntryProto*' }
  },
  NodeProto: {
    ...{ 1: 'text*', 2: 'text*', 3: 'text', 4: 'text', 5: 'AttributeProto*', 6: 'text', 7: 'text', 8: 'text' },
    ...{ 9: 'StringStringEntryProto*', 10: 'NodeDeviceConfigurationProto*' }
  },
  AttributeProto: {
    ...{ 1: 'text', 2: 'float', 3: 'int', 4: 'bytes', 5: 'TensorProto', 6: 'GraphProto', 7: 'float*', 8: 'int*' },
    ...{ 9: 'bytes*', 10: 'TensorProto*', 11: 'GraphProto*', 13: 'text', 14: 'TypeProto', 15: 'TypeProto*' },
    ...{ 20: 'int32', 21: 'text', 22: 'SparseTensorProto', 23: 'SparseTensorProto*' }
  },
  TensorProto: {
    ...{ 1: 'int*', 2: 'int32', 3: 'Segment', 4: 'float*', 5: 'int32*', 6: 'bytes*', 7: 'int*', 8: 'text', 9: 'bytes' },
    ...{ 10: 'double*', 11: 'int*', 12: 'text', 13: 'StringStringEntryProto*', 14: 'int32' },
    ...{ 16: 'StringStringEntryProto*' }
  },
  Segment: { 1: 'int', 2: 'int' },
  SparseTensorProto: { 1: 'TensorProto', 2: 'TensorProto', 3: 'int*' },
  TensorAnnotation: { 1: 'text', 2: 'StringStringEntryProto*' },
  ValueInfoProto: { 1: 'text', 2: 'TypeProto', 3: 'text', 4: 'StringStringEntryProto*' },
  TypeProto: {
    ...{ 1: 'Tensor|', 4: 'Sequence|', 5: 'Map|', 6: 'text', 7: 'Opaque|', 8: 'SparseTensor|', 9: 'Optional|' }
  },
  Tensor: { 1: 'int32', 2: 'TensorShapeProto' },
  SparseTensor: { 1: 'int32', 2: 'TensorShapeProto' },
  Sequence: { 1: 'TypeProto' },
  Optional: { 1: 'TypeProto' },
  Map: { 1: 'int32', 2: 'TypeProto' },
  Opaque: { 1: 'text', 2: 'text' },
  TensorShapeProto: { 1: 'Dimension*' },
  Dimension: { 1: 'int|', 2: 'text|', 3: 'text' },
  DeviceConfigurationProto: { 1: 'text', 2: 'int32', 3: 'text*' },
  NodeDeviceConfigurationProto: { 1: 'text', 2: 'ShardingSpecProto*', 3: 'int32' },
  ShardingSpecProto: { 1: 'text', 2: 'int*', 3: 'IntIntListEntryProto*', 4: 'ShardedDimProto*' },
  IntIntListEntryProto: { 1: 'int', 2: 'int*' },
  ShardedDimProto: { 1: 'int', 2: 'SimpleShardedDimProto*' },
  SimpleShardedDimProto: { 1: 'int|', 2: 'text|', 3: 'int' }
}
