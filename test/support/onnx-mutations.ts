import fc from 'fast-check'
import { listsIn, type Part, putTogether, varint } from './wire.js'

/** Changes of a model's bytes that are drawn by lot: how a field is written, which there are, and in what order. */
export interface Mutation {
  change: keyof typeof CHANGES
  /** which message and which of its fields, and what else is to be chosen */
  list: number
  part: number
  lot: number
}

const wholeTag = ({ number, wire }: Part) => BigInt(number * 8 + wire)
const lengthOf = ({ body }: Part) => (Buffer.isBuffer(body) ? body.length : putTogether(body).length)

/** Each gets a message's fields and the place of the one at stake. */
const CHANGES = {
  'pad the tag': (parts, at, lot) => void (parts[at]!.tag = varint(wholeTag(parts[at]!), 1 + (lot % 5))),
  'add to the tag above 32 bits': (parts, at, lot) =>
    void (parts[at]!.tag = varint(wholeTag(parts[at]!) + (BigInt(1 + (lot % 31)) << BigInt(32 + (lot % 3))))),
  'pad the length': (parts, at, lot) => void (parts[at]!.length = varint(lengthOf(parts[at]!), 1 + (lot % 5))),
  'change the length': (parts, at, lot) =>
    void (parts[at]!.length = varint(Math.max(0, lengthOf(parts[at]!) - 2 + (lot % 5)))),
  'add to the length above 32 bits': (parts, at) =>
    void (parts[at]!.length = varint(BigInt(lengthOf(parts[at]!)) + (1n << 32n))),
  'another number': (parts, at, lot) => void (parts[at]!.number = 1 + (lot % 26)),
  'another wire type': (parts, at, lot) => void (parts[at]!.wire = lot % 8),
  twice: (parts, at, lot) => void parts.splice(lot % (parts.length + 1), 0, parts[at]!),
  'left out': (parts, at) => void parts.splice(at, 1),
  elsewhere: (parts, at, lot) => void parts.splice(lot % parts.length, 0, ...parts.splice(at, 1)),
  'split in two': (parts, at, lot) => {
    const part = parts[at]!
    const cut = lot % (part.body.length + 1)
    const [first, second] = [part.body.slice(0, cut), part.body.slice(cut)] as [Buffer, Buffer]
    parts.splice(at, 1, { ...part, body: first }, { ...part, body: second })
  },
  'an unknown field': (parts, at, lot) =>
    void parts.splice(at, 0, { number: 1 + (lot % (2 ** 29 - 1)), wire: 0, body: varint(lot) }),
  'a field of the other messages': (parts, at, lot) =>
    void parts.splice(at, 0, { number: 1 + (lot % 26), wire: 2, body: parts[at]!.body }),
  'another number in it': (parts, at, lot) => {
    if (parts[at]!.wire === 0) parts[at]!.body = varint(2n ** BigInt(lot % 66) + BigInt(lot % 3))
  },
  'a padded number in it': (parts, at, lot) => {
    if (parts[at]!.wire === 0) parts[at]!.body = varint(BigInt(lot % 20), 1 + (lot % 10))
  },
  'other bytes': (parts, at, lot) => {
    const { body } = parts[at]!
    if (!Buffer.isBuffer(body) || body.length === 0) return
    const changed = Buffer.from(body)
    changed[lot % changed.length]! ^= 1 << (lot % 8)
    parts[at]!.body = changed
  }
} satisfies Record<string, (parts: Part[], at: number, lot: number) => void>

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  change: fc.constantFrom(...(Object.keys(CHANGES) as (keyof typeof CHANGES)[])),
  list: fc.nat(),
  part: fc.nat(),
  lot: fc.nat()
})

/** Changes the parts of a model. */
export function mutate(model: Part[], { change, list, part, lot }: Mutation): void {
  const lists = listsIn(model).filter(parts => parts.length > 0)
  const parts = lists[list % lists.length]!
  CHANGES[change](parts, part % parts.length, lot)
}
