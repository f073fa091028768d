import { type ServerDuplexStream, status, type UntypedServiceImplementation } from '@grpc/grpc-js'
import type { AnyDefinition } from '@grpc/proto-loader'
import { descriptorOf } from './descriptor.js'
import type { Proto } from './read-proto.js'

interface Question {
  host: string
  /** which of the fields below was asked */
  message_request?: string
  file_by_filename?: string
  file_containing_symbol?: string
}

interface Reply {
  valid_host: string
  original_request: Question
  file_descriptor_response?: { file_descriptor_proto: readonly Uint8Array[] }
  list_services_response?: { service: { name: string }[] }
  error_response?: { error_code: status; error_message: string }
}

interface Described {
  services: { name: string }[]
  /** descriptors by the names of the files, and by the full names of what they define at their top */
  files: Map<string, Uint8Array>
}

/** Tells clients without a .proto file which services there are and what their messages look like. */
export function reflection(protos: readonly Proto[]): UntypedServiceImplementation {
  const described = describe(protos)
  return {
    ServerReflectionInfo(stream: ServerDuplexStream<Question, Reply>) {
      stream.on('data', (question: Question) => stream.write(replyTo(question, described)))
      stream.on('end', () => stream.end())
    }
  }
}

/** Each of our .proto files is a package of its own and imports nothing. */
function describe(protos: readonly Proto[]): Described {
  const described: Described = { services: [], files: new Map() }
  for (const { definitions } of protos) {
    const file = descriptorOf(Object.values(definitions)[0]!)
    described.files.set(file.name, file.bytes)
    for (const [name, definition] of Object.entries(definitions)) {
      described.files.set(name, file.bytes)
      if (isService(definition)) described.services.push({ name })
    }
  }
  return described
}

function isService(definition: AnyDefinition): boolean {
  return !('fileDescriptorProtos' in definition)
}

function replyTo(question: Question, { services, files }: Described): Reply {
  const reply = { valid_host: question.host, original_request: question }
  const { message_request: asked = '', file_by_filename: byName, file_containing_symbol: symbol } = question
  if (asked === 'list_services') return { ...reply, list_services_response: { service: services } }
  const file = files.get(byName ?? '') ?? fileWith(symbol ?? '', files)
  if (file) return { ...reply, file_descriptor_response: { file_descriptor_proto: [file] } }
  const error_message = 'no file has this name or symbol, and there are no extensions'
  return { ...reply, error_response: { error_code: status.NOT_FOUND, error_message } }
}

/** The file of a symbol, or of what encloses it: a method's is that of its service. */
function fileWith(symbol: string, files: Described['files']): Uint8Array | undefined {
  for (let name = symbol; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    const file = files.get(name)
    if (file) return file
  }
  return undefined
}
