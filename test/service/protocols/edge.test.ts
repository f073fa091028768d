import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { keyLine } from '../../support/api-keys.js'
import { gru } from '../../support/bundles.js'
import { isGolden } from '../../support/golden.js'
import { split } from '../../support/mlflow-scoring.js'
import { startService } from '../../support/service.js'
import { call, PATH, series, type TimeSeriesAnswer } from '../../support/timeseries.js'

const bundle = gru()
const KEY = 'key-of-alice-8c2f'
const file = `${t.testdir({ keys: `${keyLine('alice', KEY)}\n` })}/keys`
const service = await startService({ env: { API_KEYS_FILE: file, DEADLINE_MS: '20000' } })
t.teardown(() => service.stop())

const frame = JSON.stringify({ dataframe_split: split(0), params: { inference_length: 12 } })
const many = JSON.stringify(call([series(0), series(1)], 6))

async function post(path: string, body: string | Buffer, headers: Record<string, string> = {}) {
  const all = { 'content-type': 'application/json', 'x-api-key': KEY, ...headers }
  const sent = request(service.url + path, { method: 'POST', headers: all }).end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: answer.statusCode, headers: answer.headers, bytes: await buffer(answer) }
}

const json = ({ bytes }: { bytes: Buffer }) => JSON.parse(bytes.toString()) as Record<string, unknown>

t.test('forecasts need a key, and are refused in the form of their protocol; probes need none', async t => {
  const without = { 'x-api-key': 'another' }
  const scored = await post('/invocations', frame, without)
  t.match([scored.status, json(scored)], [401, { error_code: 'UNAUTHENTICATED', message: /^unauthorized: / }])
  const forecast = await post(PATH, many, without)
  t.match([forecast.status, json(forecast)], [401, { error: { code: '401', type: 'unauthorized' } }])
  for (const path of ['/ping', '/health', '/version']) t.equal((await fetch(service.url + path)).status, 200, path)
  for (const [path, body] of [
    ['/invocations', frame],
    [PATH, many]
  ] as const) {
    t.equal((await post(path, body)).status, 200, path)
  }
})

t.test('bodies may be packed, and answers are on wish', async t => {
  const headers = { 'content-encoding': 'gzip', 'accept-encoding': 'gzip' }
  const scored = await post('/invocations', gzipSync(frame), headers)
  t.match([scored.status, scored.headers['content-encoding']], [200, 'gzip'])
  const { predictions } = JSON.parse(gunzipSync(scored.bytes).toString()) as { predictions: Record<string, unknown>[] }
  t.ok(isGolden(bundle, bundle.golden.windows[0]!.forecast, predictions[0]!))
  const forecast = await post(PATH, gzipSync(many), headers)
  t.equal(forecast.headers['content-encoding'], 'gzip')
  const { outputs } = JSON.parse(gunzipSync(forecast.bytes).toString()) as TimeSeriesAnswer
  t.strictSame(
    outputs.map(({ status }) => status),
    ['completed', 'completed']
  )
})

t.test('what cannot be unpacked is refused in the form of the protocol', async t => {
  const coded = (coding: string) => ({ 'content-encoding': coding })
  const bomb = gzipSync(Buffer.alloc(2_000_000, ' '))
  t.match(json(await post('/invocations', frame, coded('gzip'))), { message: /^bad_request: / })
  t.match(json(await post('/invocations', bomb, coded('gzip'))), { message: /^body_too_large: / })
  const unknown = await post('/invocations', frame, coded('br'))
  t.match([unknown.status, unknown.bytes.toString()], [415, /^unsupported_media_type: /])
  t.match(json(await post(PATH, many, coded('gzip'))), { error: { code: '400', type: 'bad_request' } })
  t.match(json(await post(PATH, bomb, coded('gzip'))), { error: { code: '413', type: 'body_too_large' } })
  t.match(json(await post(PATH, many, coded('br'))), { error: { code: '415', type: 'unsupported_media_type' } })
})
