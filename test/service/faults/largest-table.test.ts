import t from 'tap'
import { ConfigSchema } from '../../../src/settings/config.js'
import { largestTable } from '../../../src/server/predict/body-limit.js'
import { gru, lstm } from '../../support/bundles.js'
import { Ledger } from '../../support/ledger.js'
import { startService } from '../../support/service.js'

const { BODY_LIMIT_BYTES, MAX_ROWS } = ConfigSchema.properties
/** Small numbers of 17 digits as JavaScript writes them, and as Python does. */
const NUMBERS = ['0.0000012345678901234567', '1.2345678901234567e-100']
/** What Python's `json.dumps` puts between two values, and what `JSON.stringify` does. */
const SPACES = [', ', ',']

/** A table of `rows` rows whose every value takes as many characters as a writer of JSON gives it. */
function longestTable({ manifest }: ReturnType<typeof gru>, rows: number, [number, comma]: [string, string]): string {
  const time = (row: number) => new Date(Date.UTC(2018, 0, 1, 0, 2 * row)).toISOString().slice(0, 19)
  const times = Array.from({ length: rows }, (_, row) => `"${time(row)}.123456789+01:00"`).join(comma)
  const column = Array(rows).fill(number).join(comma)
  const columns = manifest.features.map(({ name }) => `"${name}":${comma.slice(1)}[${column}]`)
  return `{"index_col": "timestamp", "data": {"timestamp": [${times}]${comma}${columns.join(comma)}}, "inference_length": 30}`
}

t.test('numbers of 17 digits are as they should be: no writer makes them longer', t => {
  for (const text of NUMBERS) t.equal(text.replace(/^0\.0*|\.|e.*/g, '').length, 17)
  t.equal(JSON.stringify(Number(NUMBERS[0])), NUMBERS[0])
  t.end()
})

t.test('the body limit lets the largest table of the model in, as long as any writer of JSON makes it', async t => {
  const service = await startService()
  t.teardown(() => service.process.kill('SIGKILL'))
  const ledger = new Ledger(service.url)
  for (const number of NUMBERS) {
    for (const comma of SPACES) {
      const body = longestTable(gru(), MAX_ROWS.default, [number, comma])
      t.ok(body.length <= largestTable(gru().manifest, MAX_ROWS.default), `${body.length} bytes`)
      t.match(await ledger.send(body), { status: 200, json: { predictions: Array(30).fill({}) } })
    }
  }
  ledger.close()
  t.ok(largestTable(gru().manifest, MAX_ROWS.default) <= BODY_LIMIT_BYTES.default)
  t.ok(
    longestTable(lstm(), 500, [NUMBERS[0]!, ', ']).length <= largestTable(lstm().manifest, 500),
    'of another model too'
  )
  t.equal(await service.stop(), 0)
  t.notMatch(service.lines.join('\n'), 'BODY_LIMIT_BYTES', 'there is nothing to warn of')
})

t.test('a limit that the largest table does not fit is warned of, with the bytes that it takes', async t => {
  const service = await startService({ env: { MAX_ROWS: '1100' } })
  t.teardown(() => service.process.kill('SIGKILL'))
  const line = JSON.parse(await service.line('may be larger than BODY_LIMIT_BYTES')) as { level: number; bytes: number }
  t.match(line, { level: 40, MAX_ROWS: 1100, bytes: largestTable(gru().manifest, 1100) })
  t.equal(await service.stop(), 0)
})
