import { broken, numbers, type Tree } from './protobuf.js'

/** Fields of TensorProto. */
const DIMS = 1
const DATA_TYPE = 2
const SEGMENT = 3
const RAW_DATA = 9
const EXTERNAL_DATA = 13
const DATA_LOCATION = 14
/** The fields that may hold its data. */
const DATA = [4, 5, 6, 7, RAW_DATA, 10, 11] as const
/** Those of floats and doubles, of which it is only known how many stood in a row. */
const COUNTED: ReadonlySet<number> = new Set([4, 10])

/** Types of elements, by TensorProto.DataType: bytes of an element in raw_data, and the field that holds them otherwise. */
const TYPES: Record<number, { size: number; field: (typeof DATA)[number] }> = {
  1: { size: 4, field: 4 }, // float
  2: { size: 1, field: 5 }, // uint8
  3: { size: 1, field: 5 }, // int8
  4: { size: 2, field: 5 }, // uint16
  5: { size: 2, field: 5 }, // int16
  6: { size: 4, field: 5 }, // int32
  7: { size: 8, field: 7 }, // int64
  9: { size: 1, field: 5 }, // bool
  10: { size: 2, field: 5 }, // float16
  11: { size: 8, field: 10 }, // double
  12: { size: 4, field: 11 }, // uint32
  13: { size: 8, field: 11 }, // uint64
  16: { size: 2, field: 5 } // bfloat16
}
const MAX_ELEMENTS = 2 ** 31 - 1

/**
 * Whether a tensor's data lie outside the file. Throws `load_failed` where the data that are there are not as many as its
 * shape says, or are of a type that a forecaster does not have (text, complex numbers, parts of a byte).
 */
export function isOutside(tensor: Tree): boolean {
  const location = tensor[DATA_LOCATION]?.[0] ?? 0
  if (location !== 0 || tensor[EXTERNAL_DATA]) return true
  const type = TYPES[Number(tensor[DATA_TYPE]?.[0] ?? 0)]
  if (!type) throw broken(`a tensor has elements of type ${String(tensor[DATA_TYPE]?.[0] ?? 'undefined')}`)
  if (tensor[SEGMENT]) throw broken('a tensor is a segment of another tensor')
  const elements = elementsOf(tensor)
  const held = DATA.filter(field => tensor[field])
  const [field] = held
  if (held.length > 1) throw broken('a tensor has its data twice')
  if (field !== undefined && field !== RAW_DATA && field !== type.field)
    throw broken('a tensor has data of another type than it declares')
  if (countOf(tensor, field, type.size) !== elements) throw broken('a tensor has more or fewer values than its shape')
  return false
}

/** How many elements a field of data holds. */
function countOf(tensor: Tree, field: number | undefined, size: number): number {
  if (field === undefined) return 0
  const values = numbers(tensor, field)
  if (field === RAW_DATA) return values[0]! / size
  return COUNTED.has(field) ? values.reduce((sum, count) => sum + count, 0) : values.length
}

function elementsOf(tensor: Tree): number {
  const dims = numbers(tensor, DIMS)
  const elements = dims.reduce((product, dim) => product * dim, 1)
  if (dims.every(dim => dim <= MAX_ELEMENTS) && elements <= MAX_ELEMENTS) return elements
  throw broken('a tensor has a dimension below 0, or more elements than 2^31 - 1')
}
