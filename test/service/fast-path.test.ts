import t from 'tap'
import { bodyOf, gru } from '../support/bundles.js'
import { eventually } from '../support/eventually.js'
import { answersIn, openRaw, rawRequest, type RawAnswer } from '../support/raw-socket.js'
import { startService } from '../support/service.js'

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

t.test('a request is answered alike on the fast path and by the framework, to the byte', async t => {
  const service = await startService({ env: { LOG_REQUESTS: 'true', DEADLINE_MS: '20000' } })
  t.teardown(() => service.process.kill('SIGKILL'))
  const port = Number(new URL(service.url).port)
  const ask = async (body: string, headers: Record<string, string>) => {
    const { socket, text } = await openRaw(port)
    socket.write(Buffer.from(rawRequest(body, { 'content-length': `${body.length}`, ...headers }), 'latin1'))
    await eventually('it is answered', () => answersIn(text()).length === 1)
    socket.destroy()
    return answersIn(text())[0]!
  }
  for (const [what, body] of BODIES) {
    const headers = { 'x-request-id': what.replaceAll(' ', '-') }
    const fast = await ask(body, headers)
    // A list of wishes for the connection is nothing that the fast path reads.
    const framework = await ask(body, { ...headers, connection: 'keep-alive, te' })
    t.same(comparable(fast), comparable(framework), what)
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
