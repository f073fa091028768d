import { readFileSync } from 'node:fs'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import t from 'tap'
import { SharedSlots } from '../../../../src/model/inference/ring/slots.js'
import { type Table, type ValidWindow, WindowReader } from '../../../../src/model/inference/window.js'
import { parseJsonBody } from '../../../../src/server/predict/json-body.js'
import { predictSchema } from '../../../../src/server/schemas/predict.js'
import { exactly } from '../../../../src/validate.js'
import { bodyOf, gru, lstm, type TestBundle } from '../../../support/bundles.js'

const MAX_STEPS = 30
/** A million with GRU_FUZZ_ROUNDS=1000000. */
const ROUNDS = Number(process.env.GRU_FUZZ_ROUNDS ?? 60_000)
const validate = exactly.compile<Table & { inference_length?: number }>(predictSchema(MAX_STEPS).body)

/** Both ways into one window: slot 0 is the scanner's, slot 1 the strict path's. */
function bothWays({ manifest }: TestBundle) {
  const shape = { slots: 2, rings: 1, windowRows: manifest.window, featureCount: manifest.features.length }
  const slots = new SharedSlots(shape)
  const reader = new WindowReader(manifest, slots, 50)
  const size = shape.windowRows * shape.featureCount
  const bits = new Uint32Array(slots.window.buffer, slots.window.byteOffset, 2 * size)
  const facts = ({ last, spacing, style, warnings }: ValidWindow, steps: number) =>
    JSON.stringify([last, spacing, style, warnings, steps])
  return {
    scan: (text: Buffer) => reader.scan(text, MAX_STEPS),
    /** what differs between the two ways; undefined where nothing does, or where the scanner leaves the body alone */
    difference(text: Buffer): string | undefined {
      const table = reader.scan(text, MAX_STEPS)
      if (!table) return undefined
      const fast = facts(reader.readScanned(table, 0), table.steps)
      let body: unknown
      try {
        body = parseJsonBody(text)
        if (!validate(body)) return `the schema refuses it: ${JSON.stringify(validate.errors)}`
        const strict = facts(reader.read(body, 1), body.inference_length ?? 1)
        if (fast !== strict) return `${fast} instead of ${strict}`
      } catch (error) {
        return `the strict path refuses it: ${(error as Error).message}`
      }
      for (let at = 0; at < size; at++) if (bits[at] !== bits[size + at]) return `value ${at} has other bits`
      return undefined
    }
  }
}

const bundle = gru()

t.test('real bodies are taken, as every client writes them', t => {
  const { scan, difference } = bothWays(bundle)
  const bodies = bundle.golden.windows.flatMap((_, index) => {
    const body = bodyOf(bundle, index, (index % MAX_STEPS) + 1)
    const { data, ...rest } = body
    const reversed = { ...rest, data: Object.fromEntries(Object.entries(data).reverse()) }
    const { index_col: _left, ...unnamed } = body
    return [body, reversed, unnamed].flatMap(value => [JSON.stringify(value), JSON.stringify(value, null, 2)])
  })
  bodies.push(readFileSync('examples/window.json', 'utf8'))
  for (const text of bodies) {
    const bytes = Buffer.from(text)
    if (!scan(bytes)) t.fail(`not taken: ${text}`)
    const different = difference(bytes)
    if (different) t.fail(`${different}: ${text}`)
  }
  t.pass(`${bodies.length} bodies`)
  t.end()
})

t.test('what is of another shape is left to the strict path', t => {
  const { scan } = bothWays(bundle)
  const { data, ...rest } = bodyOf(bundle, 0)
  const [first, second] = bundle.manifest.features.map(({ name }) => name) as [string, string]
  const { [first]: down, ...without } = data
  const text = (value: object) => JSON.stringify({ ...rest, data: value })
  const plain = text(data)
  const left: Record<string, string> = {
    'a column stands twice': plain.replace(`"${second}"`, `"${first}"`),
    'the data stand twice': `${plain.slice(0, -1)},"data":{}}`,
    'a column is missing': text(without),
    'another column': text({ ...data, other: down }),
    'a row more': text(Object.fromEntries(Object.entries(data).map(([name, rows]) => [name, [rows[0], ...rows]]))),
    'a value below the minimum': text({ ...data, [first]: [-1, ...down!.slice(1)] }),
    'a time with a zone': text({ ...data, ts: data.ts!.map(time => `${String(time)}Z`) }),
    'times in no order': text({ ...data, ts: data.ts!.toReversed() }),
    'another index than index_col says': plain.replace('"index_col":"ts"', '"index_col":"time"'),
    'an escape': plain.replace('"data"', '"dat\\u0061"'),
    'no number of steps': `${plain.slice(0, -1)},"inference_length":0}`,
    'too many steps': `${plain.slice(0, -1)},"inference_length":31}`,
    'a mark of the byte order': `\ufeff${plain}`,
    'something behind it': `${plain} x`,
    'half of it': plain.slice(0, -2),
    nothing: ''
  }
  for (const [what, body] of Object.entries(left)) t.equal(scan(Buffer.from(body)), undefined, what)
  t.equal(bothWays(lstm()).scan(Buffer.from(JSON.stringify(bodyOf(lstm(), 0)))), undefined, 'a model that takes times')
  t.end()
})

t.test('the scanner takes no body that the strict path refuses, and none otherwise: mutated bodies', t => {
  const { scan, difference } = bothWays(bundle)
  const random = xoroshiro128plus(1127)
  const upTo = (most: number) => uniformInt(random, 0, most)
  const pick = <Item>(items: readonly Item[]) => items[upTo(items.length - 1)]!
  const pieces = [
    ...'0123456789.eE+-,:[]{}" \n\t\\\u0000\u00ff',
    ...['"ts"', '"data"', '"index_col"', '"inference_length"', ':3,', '1e3', '-0', '00', 'null', '\\u0061', '"time"'],
    ...[
      '2018-02-28T05:54:00',
      '2018-02-29',
      'T24:00:00',
      ' 05:54:00',
      '1e-320',
      '3.5e38',
      '16777217.0000001',
      '[]',
      '{}'
    ]
  ]
  const bases = bundle.golden.windows.slice(0, 8).map((_, index) => {
    const body = bodyOf(bundle, index, index % 2 ? index : undefined)
    return index % 3 ? JSON.stringify(body) : JSON.stringify(body, null, 1)
  })
  let taken = 0
  for (let round = 0; round < ROUNDS; round++) {
    let text = pick(bases)
    for (let change = upTo(3); change >= 0; change--) {
      const at = upTo(text.length)
      text = text.slice(0, at) + pick(pieces) + text.slice(at + upTo(2))
    }
    const bytes = Buffer.from(text, upTo(9) === 0 ? 'latin1' : 'utf8')
    if (scan(bytes)) taken++
    const different = difference(bytes)
    if (different) t.fail(`${different}: ${text}`)
  }
  t.ok(taken > 0.05 * ROUNDS, `${taken} of ${ROUNDS} were taken: the mutations reach both sides`)
  t.end()
})
