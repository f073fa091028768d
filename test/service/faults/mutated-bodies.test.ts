import t from 'tap'
import fc from 'fast-check'
import { bodyOf, gru } from '../../support/bundles.js'
import { isGolden } from '../../support/golden.js'
import type { Ledger } from '../../support/ledger.js'
import { withService } from '../../support/shared-service.js'
import { readStrictly } from '../../support/strict-reading.js'

const bundle = gru()
const { windows } = bundle.golden
const { manifest } = bundle

/** A change to the text or the bytes of a body. */
interface Mutation {
  at: number
  length: number
  with: string
  kind: 'cut' | 'replace' | 'insert' | 'repeat' | 'swap' | 'flip'
}

const kinds: Mutation['kind'][] = ['cut', 'replace', 'insert', 'repeat', 'swap', 'flip']
const inserts = [
  '"',
  ',',
  ':',
  '{',
  '}',
  '[',
  ']',
  '0',
  '-',
  '.',
  'e',
  '1e9',
  'null',
  'NaN',
  ' ',
  '\n',
  '\\',
  '\u0000',
  'é',
  '":1,"',
  '],"x":['
]
const mutation = fc.record<Mutation>({
  at: fc.nat(),
  length: fc.nat({ max: 40 }),
  with: fc.constantFrom(...inserts),
  kind: fc.constantFrom(...kinds)
})

function mutate(text: string, { at, length, with: insert, kind }: Mutation): string {
  const from = at % (text.length + 1)
  const to = Math.min(text.length, from + length)
  const part = text.slice(from, to)
  switch (kind) {
    case 'cut':
      return text.slice(0, from) + text.slice(to)
    case 'replace':
      return text.slice(0, from) + insert + text.slice(from + 1)
    case 'insert':
      return text.slice(0, from) + insert + text.slice(from)
    case 'repeat':
      return text.slice(0, to) + part + text.slice(to)
    case 'swap':
      return text.slice(0, from) + [...part].reverse().join('') + text.slice(to)
    case 'flip':
      return (
        text.slice(0, from) +
        String.fromCharCode((text.charCodeAt(from) || 32) ^ (1 << (length % 7))) +
        text.slice(from + 1)
      )
  }
}

/** Sends a body and holds the answer to what an independent reading of the same text says of it. */
async function judge(ledger: Ledger, index: number, text: string): Promise<boolean> {
  const { status, json } = await ledger.send(text)
  if (status !== 200) return status >= 400 && status < 500
  const reading = readStrictly(text, manifest)
  if (!reading || json?.predictions?.length !== reading.steps) return false
  const { window, forecast } = windows[index]!
  const same = reading.rows.every((row, at) =>
    row.every((value, feature) => Math.fround(value) === Math.fround(window[at]![feature]!))
  )
  // The trainer's answer where the window is still the trainer's; else what the same rows give when written plainly.
  const first = json.predictions[0]!
  if (same) return isGolden(bundle, forecast, first)
  const plain = await ledger.send(plainBody(reading.rows))
  return (
    plain.status === 200 && manifest.features.every(({ name }) => plain.json!.predictions![0]![name] === first[name])
  )
}

function plainBody(rows: number[][]) {
  const ts = rows.map((_, row) => new Date(Date.UTC(2018, 1, 1, 0, row * 2)).toISOString())
  return {
    data: { ts, ...Object.fromEntries(manifest.features.map(({ name }, at) => [name, rows.map(row => row[at]!)])) }
  }
}

t.test('two thousand damaged bodies: each is refused or read as it stands, none is a 5xx', t =>
  withService(t, {}, async ({ ledger }) => {
    let served = 0
    const damaged = fc.asyncProperty(
      fc.nat({ max: 63 }),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      async (index, changes) => {
        const text = changes.reduce(mutate, JSON.stringify(bodyOf(bundle, index)))
        const right = await judge(ledger, index, text)
        served += Number(ledger.entries.at(-1)!.status === 200)
        return right
      }
    )
    await fc.assert(damaged, { numRuns: 2000 })
    t.ok(served > 20 && served < 1500, `${served} were harmless: the damage was of every kind`)
  })
)

t.test('a body cut off anywhere is a 400', t =>
  withService(t, {}, async ({ ledger }) => {
    const text = JSON.stringify(bodyOf(bundle, 1))
    for (let length = 0; length < text.length; length += 3) {
      const { status } = await ledger.send(text.slice(0, length))
      if (status !== 400) t.fail(`${length} characters: ${status}`)
    }
    t.ok(ledger.entries.length > 400)
  })
)

t.test('rows in another order are a 400; columns in another order are the same forecast', t =>
  withService(t, {}, async ({ ledger }) => {
    const order = fc.shuffledSubarray([...Array(manifest.window).keys()], { minLength: manifest.window })
    const rows = fc.asyncProperty(fc.nat({ max: 63 }), order, async (index, shuffled) => {
      const body = bodyOf(bundle, index)
      for (const [name, column] of Object.entries(body.data)) body.data[name] = shuffled.map(row => column[row])
      const rising = shuffled.every((row, at) => row === at)
      const { status } = await ledger.send(body)
      return status === (rising ? 200 : 400)
    })
    await fc.assert(rows, { numRuns: 300 })
    const names = fc.shuffledSubarray(['ts', ...manifest.features.map(({ name }) => name)], {
      minLength: manifest.features.length + 1
    })
    const columns = fc.asyncProperty(fc.nat({ max: 63 }), names, async (index, shuffled) => {
      const { data } = bodyOf(bundle, index)
      const { status, json } = await ledger.send({ data: Object.fromEntries(shuffled.map(name => [name, data[name]])) })
      return status === 200 && isGolden(bundle, windows[index]!.forecast, json!.predictions![0]!)
    })
    await fc.assert(columns, { numRuns: 200 })
    t.same(ledger.wrong, [])
  })
)
