import { execFileSync } from 'node:child_process'
import { gunzipSync, inflateSync } from 'node:zlib'
import { request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import t, { type Test } from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { isGolden } from '../../support/golden.js'
import type { Answer } from '../../support/ledger.js'
import { type Service, startService } from '../../support/service.js'
import { readV2Binary, rowsOf, v2Inputs } from '../../support/v2.js'

const bundle = gru()
const { windows } = bundle.golden
const bodies = JSON.stringify(windows.slice(0, 16).map((_, index) => bodyOf(bundle, index)))

/** Asks with what is wished of the answer's coding, and takes the answer as it is. */
async function ask({ port }: Service, path: string, body: string, wish?: string) {
  const headers = { 'content-type': 'application/json', ...(wish !== undefined && { 'accept-encoding': wish }) }
  const sent = request({ port, host: '127.0.0.1', method: 'POST', path, headers })
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: answer.statusCode, headers: answer.headers, bytes: await buffer(answer) }
}

/** Whether a text is the forecasts of the trainer. */
function areGolden(text: string): boolean {
  const outcomes = JSON.parse(text) as Answer[]
  const hold = outcomes.map(({ predictions }, index) => isGolden(bundle, windows[index]!.forecast, predictions![0]!))
  return hold.length === 16 && hold.every(Boolean)
}

const WISHES: [wish: string | undefined, coding: string | undefined][] = [
  [undefined, undefined],
  ['identity', undefined],
  ['', undefined],
  ['br', undefined],
  ['gzip;q=0', undefined],
  ['identity, gzip;q=0.5', undefined],
  ['gzip', 'gzip'],
  ['GZIP', 'gzip'],
  ['gzip, deflate, br', 'gzip'],
  ['deflate', 'deflate'],
  ['deflate, gzip;q=0.5', 'deflate'],
  ['*', 'gzip'],
  ['*, gzip;q=0', 'deflate'],
  ['gzip;q=0.5, identity;q=0.4', 'gzip']
]

async function started(t: Test): Promise<Service> {
  const service = await startService()
  t.teardown(() => service.process.kill('SIGKILL'))
  return service
}

t.test('a long answer is packed as its caller wishes, and says so', async t => {
  const service = await started(t)
  for (const [wish, coding] of WISHES) {
    const { status, headers, bytes } = await ask(service, '/predict/batch', bodies, wish)
    t.equal(status, 200)
    t.equal(headers['content-encoding'], coding, String(wish))
    t.equal(headers['content-length'], String(bytes.length))
    t.equal(headers.vary, 'accept-encoding')
    const text = coding === 'gzip' ? gunzipSync(bytes) : coding === 'deflate' ? inflateSync(bytes) : bytes
    t.ok(areGolden(text.toString()), `${wish}: the forecasts`)
  }
})

t.test('binary tensors are packed on wish too; the header length is that of the JSON unpacked', async t => {
  const service = await started(t)
  const body = JSON.stringify({
    inputs: v2Inputs(
      bundle,
      windows.slice(0, 64).map((_, index) => index)
    ),
    parameters: { binary_data_output: true }
  })
  const { headers, bytes } = await ask(service, `/v2/models/${bundle.manifest.name}/infer`, body, 'gzip')
  t.equal(headers['content-encoding'], 'gzip')
  const { values } = readV2Binary(gunzipSync(bytes), Number(headers['inference-header-content-length']))
  const { features, target } = bundle.manifest
  for (const [index, row] of rowsOf(values, features.length).entries()) {
    const named = Object.fromEntries(features.map(({ name }, feature) => [name, row[feature]!]))
    t.ok(isGolden(bundle, windows[index]!.forecast, { ts: '', value: named[target]!, ...named }), `window ${index}`)
  }
})

t.test('clients that wish for it by themselves unpack it: fetch and curl', async t => {
  const service = await started(t)
  const url = `${service.url}/predict/batch`
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method: 'POST', headers, body: bodies })
  t.equal(answer.headers.get('content-encoding'), 'gzip')
  t.ok(areGolden(await answer.text()))
  const args = ['-s', '--compressed', '-H', 'content-type: application/json', '--data-binary', '@-', url]
  t.ok(areGolden(execFileSync('curl', args, { input: bodies, encoding: 'utf8' })))
})

t.test('what is short, and every answer of /predict, goes out as it is', async t => {
  const service = await started(t)
  const one = JSON.stringify(bodyOf(bundle, 0))
  const many = JSON.stringify(bodyOf(bundle, 0, 30))
  for (const [path, body] of [
    ['/predict', one],
    ['/predict', many],
    ['/predict', many.padEnd(70_000)],
    ['/predict/batch', `[${one}]`],
    ['/predict/batch', '[1,2]']
  ] as const) {
    const { headers, bytes } = await ask(service, path, body, 'gzip')
    t.notOk('content-encoding' in headers, path)
    t.ok(JSON.parse(bytes.toString()))
  }
})
