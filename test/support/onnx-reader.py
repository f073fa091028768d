"""Reads ONNX models with the `onnx` package and says what is in them: 4 bytes of length and the model each on standard input, a
line of JSON each on standard output. With the argument `schema` it prints the fields of onnx.proto instead."""

import json
import struct
import sys

import onnx
from google.protobuf.descriptor import Descriptor, FieldDescriptor

KINDS = {
    FieldDescriptor.TYPE_INT64: "int",
    FieldDescriptor.TYPE_UINT64: "int",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_ENUM: "int32",
    FieldDescriptor.TYPE_FLOAT: "float",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_STRING: "text",
    FieldDescriptor.TYPE_BYTES: "bytes",
}


def schema(message: Descriptor, found: dict) -> dict:
    if message.name not in found:
        found[message.name] = {}
        for field in message.fields:
            inner = field.message_type
            kind = inner.name if inner else KINDS[field.type]
            mark = "*" if field.is_repeated else "|" if field.containing_oneof else ""
            found[message.name][field.number] = kind + mark
            if inner:
                schema(inner, found)
    return found


def facts(model: onnx.ModelProto) -> dict:
    operators: set[str] = set()
    external = [False]

    def walk(message) -> None:
        if isinstance(message, onnx.NodeProto):
            standard = message.domain in ("", "ai.onnx")
            operators.add(message.op_type if standard else f"{message.domain}.{message.op_type}")
        if isinstance(message, onnx.TensorProto) and (message.data_location != 0 or message.external_data):
            external[0] = True
        for field, value in message.ListFields():
            if field.message_type:
                for one in value if field.is_repeated else [value]:
                    walk(one)

    walk(model)
    names = {initializer.name for initializer in model.graph.initializer}
    return {
        "operators": sorted(operators),
        "external": external[0],
        "inputs": [value.name for value in model.graph.input if value.name not in names],
        "outputs": [value.name for value in model.graph.output],
        "nodes": len(model.graph.node),
    }


def main() -> None:
    while head := sys.stdin.buffer.read(4):
        data = sys.stdin.buffer.read(struct.unpack("<I", head)[0])
        try:
            answer = facts(onnx.ModelProto.FromString(data))
        except Exception as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["schema"]:
        print(json.dumps(schema(onnx.ModelProto.DESCRIPTOR, {})))
    else:
        main()
