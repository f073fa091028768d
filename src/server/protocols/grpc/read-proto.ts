import { fileURLToPath } from 'node:url'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { loadSync, type PackageDefinition } from '@grpc/proto-loader'

/** How messages look in this service: names as in the .proto file, absent fields with their defaults, 64-bit numbers as numbers. */
const FORM = { keepCase: true, longs: Number, enums: String, defaults: true, arrays: true, objects: true, oneofs: true }

/** Beside the built file lies a folder with these; in the sources too. */
const FOLDER = new URL('./proto/', import.meta.url)

/** A service with everything that its .proto file defines. */
export interface Proto {
  service: ServiceDefinition
  /** by full name: the service itself, messages and enumerations */
  definitions: PackageDefinition
}

/** Reads `proto/FILE.proto` and gives the service of that full name. */
export function readProto(file: string, name: string): Proto {
  const definitions = loadSync(fileURLToPath(new URL(`${file}.proto`, FOLDER)), FORM)
  return { service: definitions[name] as ServiceDefinition, definitions }
}
