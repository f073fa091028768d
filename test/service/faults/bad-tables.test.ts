import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { goldenAnswer } from '../../support/golden.js'
import type { Ledger } from '../../support/ledger.js'
import { CANARY, type Refusal, refused } from '../../support/refusal.js'
import { withService } from '../../support/shared-service.js'

const bundle = gru()
const WIDTH = bundle.manifest.features.length

type Body = ReturnType<typeof bodyOf> & Record<string, unknown>

/** The body of a golden window after a change to it. */
function changed(change: (body: Body) => unknown): unknown {
  const body = structuredClone(bodyOf(bundle, 0)) as Body
  return change(body) ?? body
}

/** A change to every column, the times' included. */
const everyColumn = (change: (column: unknown[]) => unknown[]) => (body: Body) => {
  for (const [name, column] of Object.entries(body.data)) body.data[name] = change(column)
}

const SHAPES: Record<string, [(body: Body) => unknown, Refusal]> = {
  'a list': [() => [], ['wrong_type']],
  'a list of the body': [body => [body], ['wrong_type']],
  'a string': [() => JSON.stringify(CANARY), ['wrong_type']],
  null: [() => 'null', ['wrong_type']],
  'a number': [() => '5', ['wrong_type']],
  'no data': [() => ({ index_col: 'ts' }), ['missing_field']],
  'data that is null': [() => ({ data: null }), ['wrong_type', '/data']],
  'data that is a list of rows': [() => ({ data: [[1, 2]] }), ['wrong_type', '/data']],
  'data without a column': [() => ({ data: {} }), ['missing_index', '/data']],
  'an unknown field': [
    body => ({ ...body, [CANARY.replace('canary', 'field')]: 1 }),
    ['unknown_field', '/field-5d1e7a']
  ],
  'a field in another case': [body => ({ ...body, Data: {} }), ['unknown_field', '/Data']],
  'a field with a slash and a tilde': [body => ({ ...body, 'a/b~c': 1 }), ['unknown_field', '/a~1b~0c']],
  'a field of 100 kB': [body => ({ ...body, ['k'.repeat(100_000)]: 1 }), ['unknown_field']],
  'an index that is not there': [body => ({ ...body, index_col: CANARY }), ['missing_index', '/index_col']],
  'an index that is a feature': [body => ({ ...body, index_col: 'down' }), ['unknown_column', '/data/ts']],
  'an index that is a number': [body => ({ ...body, index_col: 5 }), ['wrong_type', '/index_col']],
  'a column that is null': [({ data }) => void (data.up = null as never), ['wrong_type', '/data/up']],
  'a column that is a number': [({ data }) => void (data.up = 5 as never), ['wrong_type', '/data/up']],
  'a column of another name': [({ data }) => void (data.other = data.up!), ['unknown_column', '/data/other']],
  'a column too few': [({ data }) => void delete data.up, ['missing_column', '/data']],
  'a column of 100 kB name': [({ data }) => void (data['k'.repeat(100_000)] = []), ['unknown_column']],
  'a value too few': [({ data }) => void data.up!.pop(), ['ragged_columns', '/data/up']],
  'a value too many': [({ data }) => void data.up!.push(1), ['ragged_columns', '/data/up']],
  'a time too few': [({ data }) => void data.ts!.pop(), ['too_few_rows', '/data/ts']],
  'nested columns': [everyColumn(column => [column]), ['too_few_rows', '/data/ts']],
  'nine rows': [everyColumn(column => column.slice(1)), ['too_few_rows', '/data/ts']],
  'more rows than MAX_ROWS': [everyColumn(column => Array(1001).fill(column[0])), ['too_many_rows', '/data/ts']],
  'zero rows': [everyColumn(() => []), ['too_few_rows', '/data/ts']],
  'zero rows of nothing': [everyColumn(() => [[]]), ['too_few_rows', '/data/ts']],
  'zero features': [body => ({ data: { ts: body.data.ts } }), ['missing_column', '/data']],
  'zero times': [({ data }) => void (data.ts = []), ['too_few_rows', '/data/ts']],
  'a feature of no rows': [({ data }) => void (data.down = []), ['ragged_columns', '/data/down']]
}

t.test('a table of another shape is a 400 that says what was expected, and never reaches the model', t =>
  withService(t, {}, async ({ ledger }) => {
    for (const [what, [change, refusal]] of Object.entries(SHAPES)) {
      await refused(t, ledger)(what, changed(change), refusal[1] === undefined ? [refusal[0]] : refusal)
    }
    for (const body of ['[[]]', '[[[]]]', '{"data":{"ts":[[]]}}', '{"data":{"ts":{}}}']) {
      t.equal((await ledger.send(body)).status, 400, body)
    }
    t.equal((await ledger.send(bodyOf(bundle, 0), { right: goldenAnswer(bundle, 0) })).status, 200, 'it still lives')
  })
)

t.test('the message says what was expected and what came', t =>
  withService(t, {}, async ({ ledger }) => {
    const message = async (change: (body: Body) => unknown) => {
      return (await ledger.send(changed(change))).json?.error?.message
    }
    t.match(await message(everyColumn(column => column.slice(1))), /at least 10 rows, got 9/)
    t.match(await message(everyColumn(column => Array(1001).fill(column[0]))), /at most 1000 rows, got 1001/)
    t.match(await message(({ data }) => void data.up!.pop()), /expected 10 values.*got 9/)
    t.match(await message(({ data }) => void delete data.up), /no column up/)
  })
)

/** One bad request among good ones that are sent in the same moment. */
async function amongGood(ledger: Ledger, bad: unknown): Promise<{ good: number[]; bad: number }> {
  const send = (index: number) => ledger.send(bodyOf(bundle, index), { right: goldenAnswer(bundle, index) })
  const before = Array.from({ length: 16 }, (_, index) => send(index))
  const middle = ledger.send(bad)
  const after = Array.from({ length: 15 }, (_, index) => send(index + 16))
  const good = await Promise.all([...before, ...after])
  return { good: good.map(({ status }) => status), bad: (await middle).status }
}

t.test('a bad request costs the 31 good ones beside it nothing', t =>
  withService(t, {}, async ({ ledger }) => {
    for (const [what, [change]] of Object.entries(SHAPES).slice(-10)) {
      const { good, bad } = await amongGood(ledger, changed(change))
      t.equal(bad, 400, what)
      t.same(good, Array(31).fill(200), what)
    }
    t.equal(WIDTH, 11)
  })
)
