import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import t from 'tap'
import { gru } from '../../../support/bundles.js'
import { isGolden, namedRow } from '../../../support/golden.js'
import { split } from '../../../support/mlflow-scoring.js'
import { call, PATH, series } from '../../../support/timeseries.js'
import { wired } from '../../../support/wired.js'

const bundle = gru()
const { features, window: rows } = bundle.manifest
const { windows } = bundle.golden
const random = xoroshiro128plus(150)
const below = (most: number) => uniformInt(random, 0, most - 1)
const PIECES = [
  'null',
  '-1',
  '1e999',
  'true',
  '"1"',
  '[]',
  '{}',
  ',',
  ':',
  '"',
  '\\',
  '1',
  '-',
  '.',
  ' ',
  '[',
  '}',
  '\u0000',
  'é'
]

/** The text with one to three pieces of it cut out, doubled or replaced. */
function mutated(text: string): string {
  let result = text
  for (let count = 1 + below(3); count > 0; count--) {
    const at = below(result.length)
    const end = at + below(below(4) === 0 ? 200 : 4)
    const piece = below(3) === 0 ? result.slice(at, end) : PIECES[below(PIECES.length)]!
    result = result.slice(0, at) + piece + result.slice(below(3) === 0 ? at : end)
  }
  return result
}

/** Whether these are windows by the words of the documentation, looked at one by one. */
function areWindows(value: unknown): value is number[][][] {
  const isList = (list: unknown, length: number): list is unknown[] => Array.isArray(list) && list.length === length
  const isLegal = (cell: unknown, at: number) => {
    const { minimum, maximum = Infinity } = features[at]!
    const single = Math.fround(Number(cell))
    return typeof cell === 'number' && single >= minimum && single <= Math.fround(maximum) && Number.isFinite(single)
  }
  const isWindow = (one: unknown) =>
    isList(one, rows) && one.every(row => isList(row, features.length) && row.every(isLegal))
  return Array.isArray(value) && value.length > 0 && value.length <= 256 && value.every(isWindow)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

t.test('mutated windows are forecast just if they still are windows, and never by another number of rows', async t => {
  const { app } = await wired(t, { DEADLINE_MS: '20000' })
  const body = JSON.stringify({ inputs: [windows[0]!.window, windows[1]!.window] })
  let good = 0
  for (let round = 0; round < 300; round++) {
    const text = round === 0 ? body : mutated(body)
    const { statusCode, payload } = await app.inject({
      method: 'POST',
      url: '/invocations',
      headers: { 'content-type': 'application/json' },
      payload: text
    })
    const value = parsed(text) as { inputs?: unknown } | undefined
    const isGood = Object.keys(value ?? {}).join() === 'inputs' && areWindows(value?.inputs)
    t.equal(statusCode, isGood ? 200 : 400, `round ${round}`)
    if (!isGood) t.match(payload, /^\{"error_code":"BAD_REQUEST","message":"[a-z_0-9]+( at \/|: )/)
    else {
      const { predictions } = JSON.parse(payload) as { predictions: number[][] }
      t.equal(predictions.length, (value!.inputs as unknown[]).length)
      good++
    }
    if (round === 0) {
      const { predictions } = JSON.parse(payload) as { predictions: number[][] }
      for (const [at, row] of predictions.entries()) {
        t.ok(isGolden(bundle, windows[at]!.forecast, namedRow(bundle, row)))
      }
    }
  }
  t.ok(good > 10 && good < 290, `${good} of them were windows`)
})

t.test('whatever a caller sends, it is no fault of the service', async t => {
  const { app, logged } = await wired(t, { DEADLINE_MS: '20000' })
  const records = split(0).data.map(row => Object.fromEntries(row.map((cell, at) => [split(0).columns[at], cell])))
  const csv = [split(0).columns, ...split(0).data].map(row => row.join()).join('\n')
  const bodies: [url: string, body: string, type: string][] = [
    [
      '/invocations',
      JSON.stringify({ dataframe_split: split(0), params: { inference_length: 2 } }),
      'application/json'
    ],
    ['/invocations', JSON.stringify({ dataframe_records: records }), 'application/json'],
    ['/invocations', JSON.stringify({ instances: [{ window: windows[0]!.window }] }), 'application/json'],
    ['/invocations', csv, 'text/csv'],
    [PATH, JSON.stringify(call([series(0), series(1)])), 'application/json']
  ]
  const seen = new Set<number>()
  for (let round = 0; round < 400; round++) {
    const [url, body, type] = bodies[round % bodies.length]!
    const payload = round < bodies.length ? body : mutated(body)
    const answer = await app.inject({ method: 'POST', url, headers: { 'content-type': type }, payload })
    seen.add(answer.statusCode)
    const isExpected = round < bodies.length ? answer.statusCode === 200 : [200, 400, 404].includes(answer.statusCode)
    t.ok(isExpected, `round ${round}: ${answer.statusCode}`)
    if (answer.statusCode !== 200) t.notMatch(answer.payload, /internal/)
  }
  t.same([...seen].sort(), [200, 400, 404])
  t.same(
    logged.filter(({ level }) => Number(level) >= 50),
    []
  )
})
