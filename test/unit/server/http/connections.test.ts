import type { IncomingMessage, ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { loadConfig } from '../../../../src/settings/config.js'
import { type Caller, listenBounded } from '../../../support/bounded.js'
import { eventually } from '../../../support/eventually.js'

/** Requests of one connection that may be under way at once. */
const UNDER_WAY = 8

type Asked = { request: IncomingMessage; response: ServerResponse }

/** A bounded server on a free port of this host whose requests are answered by hand. */
async function bounded(t: Test, env: Record<string, string> = {}) {
  const asked: Asked[] = []
  const refused: string[] = []
  const metrics = { connectionError: (kind: string) => void refused.push(kind) }
  const options = { config: loadConfig(env), metrics, drain: { draining: false }, hungUp: () => undefined }
  const answer = (request: IncomingMessage, response: ServerResponse) => void asked.push({ request, response })
  const { open } = await listenBounded(t, answer, options)
  return { asked, refused, open }
}

const GET = 'GET /x HTTP/1.1\r\nHost: h\r\n\r\n'
const answers = (text: string) => text.split('HTTP/1.1 200').length - 1

t.test('of pipelined requests no more than eight are under way, the next as one is answered', async t => {
  const { asked, open } = await bounded(t)
  const caller = await open()
  caller.socket.write(GET.repeat(20))
  await eventually('the first eight are read', () => asked.length === UNDER_WAY)
  for (let answered = 0; answered < 20; answered++) {
    await eventually(`request ${answered} is there`, () => asked.length > answered)
    t.ok(asked.length <= answered + UNDER_WAY, `${asked.length} read, ${answered} answered`)
    asked[answered]!.response.end(`answer ${answered};`)
  }
  await eventually('all are answered', () => answers(caller.text) === 20)
  t.same(
    caller.text.match(/answer \d+/g),
    Array.from({ length: 20 }, (_, index) => `answer ${index}`),
    'in their order'
  )
})

t.test('a caller who shuts the sending side is answered, and then the connection ends', async t => {
  const { asked, open } = await bounded(t)
  const caller = await open()
  caller.socket.end(GET)
  await eventually('it is read', () => asked.length === 1)
  t.equal(caller.ended, false)
  asked[0]!.response.end('late')
  await eventually('the connection is over', () => caller.ended)
  t.match(caller.text, /^HTTP\/1\.1 200 OK\r\n[^]*late/)
})

t.test('garbage behind a request is refused after its answer, not before', async t => {
  const { asked, refused, open } = await bounded(t)
  const caller = await open()
  caller.socket.write(`${GET}no request at all\r\n\r\n`)
  await eventually('the request is read', () => asked.length === 1)
  asked[0]!.response.end('first')
  await eventually('the connection is over', () => caller.ended)
  t.match(caller.text, /^HTTP\/1\.1 200 OK\r\n[^]*first[^]*HTTP\/1\.1 400 Bad Request\r\n[^]*"code":"bad_request"/)
  t.same(refused, ['bad_request'])
})

t.test('for one connection too many the one that is idle for longest is closed; a busy one never is', async t => {
  const { asked, refused, open } = await bounded(t, { MAX_CONNECTIONS: '16' })
  const busy = await open()
  busy.socket.write(GET)
  await eventually('it is read', () => asked.length === 1)
  const idle: Caller[] = []
  for (let count = 1; count < 16; count++) idle.push(await open())
  const extra = await open()
  await eventually('the longest idle connection is closed', () => idle[0]!.ended)
  t.same(refused, ['too_many'])
  t.same([busy.ended, idle[1]!.ended, extra.ended], [false, false, false])
  asked[0]!.response.end('kept')
  await eventually('the busy one is answered', () => answers(busy.text) === 1)
})

t.test('a caller who asks again and again keeps its connection, whoever opens how many', async t => {
  const { asked, open } = await bounded(t, { MAX_CONNECTIONS: '16' })
  const caller = await open()
  const idle: Caller[] = []
  for (let round = 1; round <= 40; round++) {
    idle.push(await open())
    caller.socket.write(GET)
    await eventually('it is read', () => asked.length === round)
    asked[round - 1]!.response.end()
    await eventually('it is answered', () => answers(caller.text) === round)
  }
  await eventually('the first of the others are closed', () => idle.filter(({ ended }) => ended).length === 40 - 15)
  t.same(
    idle.map(({ ended }) => ended),
    Array.from({ length: 40 }, (_, index) => index < 40 - 15)
  )
  t.equal(caller.ended, false)
})
