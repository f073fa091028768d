import type { AnyDefinition } from '@grpc/proto-loader'
import descriptor, { type IDescriptorProto, type IFileDescriptorProto } from 'protobufjs/ext/descriptor/index.js'

/** What clients without a .proto file are told of one. */
export interface FileDescriptor {
  name: string
  /** a serialized `google.protobuf.FileDescriptorProto` */
  bytes: Uint8Array
}

/**
 * The file that a definition stands in. protobufjs names some things as no other compiler does: the entry message of a map (`Parameters`,
 * where it must be `ParametersEntry`: clients refuse such a file), and fields in JSON (`model_name`, where it must be `modelName`).
 */
export function descriptorOf(definition: AnyDefinition): FileDescriptor {
  const message = 'fileDescriptorProtos' in definition ? definition : Object.values(definition)[0]!.requestType
  const [own] = (message as { fileDescriptorProtos: Uint8Array[] }).fileDescriptorProtos
  const file = descriptor.FileDescriptorProto.decode(own!) as IFileDescriptorProto
  file.messageType?.forEach(rename)
  return { name: file.name!, bytes: descriptor.FileDescriptorProto.encode(file).finish() }
}

function rename(message: IDescriptorProto): void {
  for (const field of message.field ?? []) field.jsonName = jsonName(field.name!)
  for (const nested of message.nestedType ?? []) {
    rename(nested)
    if (nested.options?.mapEntry !== true) continue
    const field = message.field!.find(({ typeName }) => typeName === nested.name)!
    nested.name = `${jsonName(`_${field.name!}`)}Entry`
    field.typeName = nested.name
  }
}

/** `model_name` as `modelName`. */
function jsonName(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}
