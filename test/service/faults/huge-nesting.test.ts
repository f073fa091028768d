import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { goldenAnswer } from '../../support/golden.js'
import { refused } from '../../support/refusal.js'
import { withService } from '../../support/shared-service.js'

const bundle = gru()
const MIB = 1_048_576
const DEEP = 200_000
const nested = `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`
const keys = (count: number, value: string) => Array.from({ length: count }, (_, key) => `"k${key}":${value}`).join(',')
const valid = JSON.stringify(bodyOf(bundle, 0))

/** Bodies that cost a naive reader its stack or its time, with the code of the refusal. */
const BODIES: Record<string, [string, string]> = {
  '1 MiB of [': ['['.repeat(MIB), 'bad_request'],
  '1 MiB of {': ['{'.repeat(MIB), 'malformed_json'],
  '1 MiB of {"a":': ['{"a":'.repeat(MIB / 5), 'bad_request'],
  '1 MiB of "': ['"'.repeat(MIB), 'malformed_json'],
  '1 MiB of -': ['-'.repeat(MIB), 'malformed_json'],
  '200,000 arrays in each other': [nested, 'bad_request'],
  '200,000 arrays as the data': [`{"data":${nested}}`, 'bad_request'],
  '200,000 arrays as the times': [`{"data":{"ts":${nested}}}`, 'bad_request'],
  '200,000 arrays as a time': [valid.replace(/"ts":\[/, `"ts":[${nested},`), 'bad_request'],
  '100,000 objects in each other': [`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, 'bad_request'],
  '100,000 fields': [`{${keys(75_000, '1')}}`, 'bad_request'],
  '70,000 columns': [`{"data":{${keys(70_000, '[]')}}}`, 'bad_request'],
  '60,000 more columns': [valid.replace('"ts":', `${keys(60_000, '[]')},"ts":`), 'bad_request'],
  'a number of 1 MB': [valid.replace(/"up":\[[^,]+/, `"up":[${'1'.repeat(1_000_000)}`), 'non_finite']
}

t.test('nesting, keys and numbers without end are refused in no time, and the stack holds', t =>
  withService(t, { env: { BODY_LIMIT_BYTES: String(MIB) } }, async ({ ledger }) => {
    for (const [what, [body, code]] of Object.entries(BODIES)) {
      t.ok(Buffer.byteLength(body) <= MIB, `${what}: within the limit`)
      const entry = await ledger.send(body)
      t.equal(entry.status, 400, `${what}: 400`)
      t.equal(entry.json?.error?.code, code, `${what}: ${code}`)
      t.ok(entry.text.length < 1000, `${what}: a short answer`)
      t.ok(entry.t < 1500, `${what}: ${Math.round(entry.t)} ms`)
    }
    await refused(t, ledger)('a legal depth', valid.replace('"ts":[', '"ts":[[[[1]]],'), [
      'ragged_columns',
      '/data/down'
    ])
    t.equal((await ledger.send(valid, { right: goldenAnswer(bundle, 0) })).status, 200)
  })
)
