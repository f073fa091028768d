import t from 'tap'
import { bodyOf, gru } from '../support/bundles.js'
import { eventually } from '../support/eventually.js'
import { answersIn, openRaw, rawRequest, type RawAnswer } from '../support/raw-socket.js'
import { startService } from '../support/service.js'
import { v2Binary, type V2Input, v2Inputs } from '../support/v2.js'

const bundle = gru()
const valid = bodyOf(bundle, 0)
const without = (column: string) => ({
  ...valid,
  data: Object.fromEntries(Object.entries(valid.data).filter(([name]) => name !== column))
})

/** Bodies that are answered, and bodies that are not, each for another reason. */
const BODIES: [what: string, body: string][] = [
  ...[0, 1, 2, 3].map((index): [string, string] => [`golden window ${index}`, JSON.stringify(bodyOf(bundle, index))]),
  ...[2, 5, 6, 30].map((steps): [string, string] => [`${steps} steps`, JSON.stringify(bodyOf(bundle, 0, steps))]),
  ['spaces', JSON.stringify(valid, null, 2)],
  ['columns in another order', JSON.stringify({ data: Object.fromEntries(Object.entries(valid.data).toReversed()) })],
  ['a missing column', JSON.stringify(without('up'))],
  ['no times', JSON.stringify(without('ts'))],
  ['too many steps', JSON.stringify({ ...valid, inference_length: 31 })],
  ['steps that are none', JSON.stringify({ ...valid, inference_length: 1.5 })],
  ['an unknown field', JSON.stringify({ ...valid, more: 1 })],
  ['a key that stands twice', JSON.stringify(valid).replace('{"index_col"', '{"index_col":"ts","index_col"')],
  ['a negative number', JSON.stringify({ ...valid, data: { ...valid.data, up: valid.data.up!.map(() => -1) } })],
  ['a list', '[]'],
  ['no JSON', '{"data":'],
  ['no UTF-8', '\u00ff']
]

/** What differs between two answers to the same question: when, and how long it took. */
function comparable({ head, body }: RawAnswer) {
  return { head: head.replace(/date: [^\r]+/i, 'date').replace(/dur=[\d.]+/g, 'dur'), body }
}

const env = { LOG_REQUESTS: 'true', DEADLINE_MS: '20000' }

/** Asks for the answer of the fast path and for that of the framework, to one request; each character of `body` is a byte. */
async function bothWays(port: number, path: string, body: string, headers: Record<string, string>) {
  const ask = async (more: Record<string, string>) => {
    const { socket, text } = await openRaw(port)
    const asked = rawRequest(body, { 'content-length': `${body.length}`, ...headers, ...more }, path)
    socket.write(Buffer.from(asked, 'latin1'))
    await eventually('it is answered', () => answersIn(text()).length === 1)
    socket.destroy()
    return comparable(answersIn(text())[0]!)
  }
  // A list of wishes for the connection is nothing that the fast path reads.
  return { fast: await ask({}), framework: await ask({ connection: 'keep-alive, te' }) }
}

const [input] = v2Inputs(bundle, [0, 1]) as [V2Input]
const ofTwo = (more: object) => JSON.stringify({ inputs: [input], ...more })
const binary = (more: Record<string, unknown>, ...inputs: V2Input[]) => {
  const { body, jsonLength } = v2Binary(inputs, more)
  return [body.toString('latin1'), { 'inference-header-content-length': `${jsonLength}` }] as const
}
const numbers = [input.data].flat(3) as number[]

/** The same of the V2 protocol, some with a header that says how long the JSON is. */
const V2_BODIES: [what: string, body: string, headers?: Record<string, string>][] = [
  ['two windows', ofTwo({})],
  ['an id and steps', ofTwo({ id: 'a"b', parameters: { inference_length: 6, timeout: 10_000_000, priority: 3 } })],
  ['bytes', ...binary({ id: '' }, input)],
  ['bytes for bytes', ...binary({ parameters: { binary_data_output: true } }, input)],
  ['a wrong length', ofTwo({}), { 'inference-header-content-length': '0' }],
  ['an unknown output', ofTwo({ outputs: [{ name: 'x' }] })],
  ['bad values', ...binary({}, { ...input, data: numbers.with(20, NaN).with(130, -1) })],
  ['no JSON of V2', '{"inputs":'],
  ['no UTF-8 in V2', '\u00ff']
]

t.test('requests of V2 are answered alike too, to the byte', async t => {
  const service = await startService({ env })
  t.teardown(() => service.process.kill('SIGKILL'))
  for (const [what, body, more] of V2_BODIES) {
    const headers = { 'content-type': 'application/octet-stream', 'x-request-id': what.replaceAll(' ', '-'), ...more }
    const { fast, framework } = await bothWays(service.port, '/v2/models/gru-traffic/infer', body, headers)
    t.same(fast, framework, what)
  }
  const lines = service.lines.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'request')
  t.equal(lines.length, 2 * V2_BODIES.length)
  for (const { route } of lines) t.equal(route, '/v2/models/:model/infer')
})

t.test('a request is answered alike on the fast path and by the framework, to the byte', async t => {
  const service = await startService({ env })
  t.teardown(() => service.process.kill('SIGKILL'))
  for (const [what, body] of BODIES) {
    const headers = { 'x-request-id': what.replaceAll(' ', '-') }
    const { fast, framework } = await bothWays(service.port, '/predict', body, headers)
    t.same(fast, framework, what)
  }
  const lines = service.lines.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'request')
  t.equal(lines.length, 2 * BODIES.length, 'each is in the log')
  for (let at = 0; at < lines.length; at += 2) {
    const [fast, framework] = [lines[at], lines[at + 1]].map(({ reqId, method, route, status }) => ({
      reqId,
      method,
      route,
      status
    }))
    t.same(fast, framework)
  }
  const metrics = await (await fetch(`${service.url}/metrics`)).text()
  const counts = [
    ...metrics.matchAll(/^gru_request_duration_seconds_count\{route="\/predict",status="(\d+)"\} (\d+)$/gm)
  ]
  const counted = Object.fromEntries(counts.map(([, status, count]) => [status, Number(count)]))
  const statuses = lines.map(({ status }) => String(status))
  t.same(
    counted,
    Object.fromEntries([...new Set(statuses)].map(one => [one, statuses.filter(status => status === one).length]))
  )
})
