import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import t from 'tap'
import { portOf } from '../../../support/bounded.js'
import { eventually } from '../../../support/eventually.js'
import { ask, fastServer } from '../../../support/fast-server.js'

const JSON_LINE = 'content-type: application/json; charset=utf-8\r\n'

t.test('an ordinary request is answered without the framework, in the bytes that were given', async t => {
  const { taken, asked, ended, open } = await fastServer(t)
  const caller = await open()
  for (const [index, body] of ['{"a":1}', '{"b":"é€"}'].entries()) {
    caller.text = ''
    caller.socket.write(ask(body, ['x-request-id: mine', 'Connection: keep-alive', 'user-agent: somebody']))
    await eventually('it is taken', () => taken.length === index + 1)
    t.equal(taken[index]!.body, body)
    taken[index]!.exchange.answer(200, JSON_LINE, body)
    await eventually('it is answered', () => caller.text.endsWith(body))
    const [head] = caller.text.split('\r\n\r\n')
    t.match(
      head,
      new RegExp(
        `^HTTP/1\\.1 200 OK\\r\\nx-request-id: mine\\r\\ncontent-type: application/json; charset=utf-8\\r\\n` +
          `content-length: ${Buffer.byteLength(body)}\\r\\nDate: [^\\r]+ GMT\\r\\nConnection: keep-alive\\r\\nKeep-Alive: timeout=72$`
      )
    )
  }
  t.same(asked, [])
  t.same(ended, [
    ['mine', 200],
    ['mine', 200]
  ])
})

t.test('what the route does not take goes to the framework, whole, however its bytes come', async t => {
  const { taken, asked, ended, open } = await fastServer(t, {}, () => false)
  const body = JSON.stringify({ text: 'x'.repeat(300) })
  const caller = await open()
  for (const size of [1, 7, 100, 1000]) {
    caller.text = ''
    const bytes = Buffer.from(ask(body))
    for (let at = 0; at < bytes.length; at += size) caller.socket.write(bytes.subarray(at, at + size))
    await eventually('it is answered', () => caller.text.endsWith(`${body};`))
  }
  t.same(
    asked,
    Array.from({ length: 4 }, () => body)
  )
  t.same([taken, ended], [[], []])
})

t.test('a request behind another waits for its answer, and is then the framework’s', async t => {
  const { taken, asked, open } = await fastServer(t)
  const caller = await open()
  caller.socket.write(ask('first') + ask('second') + ask('third') + 'GET /other HTTP/1.1\r\nHost: h\r\n\r\n')
  await eventually('the first is taken', () => taken.length === 1)
  t.same([asked, caller.text], [[], ''])
  taken[0]!.exchange.answer(200, '', 'answered;')
  await eventually('all are answered', () => caller.text.includes('framework:GET /other ;'))
  t.same(caller.text.match(/\w+(:\w+ \S+ \w*)?;/g), [
    'answered;',
    'framework:POST /fast second;',
    'framework:POST /fast third;',
    'framework:GET /other ;'
  ])
})

t.test('bytes that are no request, behind one: it is answered first', async t => {
  const { taken, open } = await fastServer(t)
  const caller = await open()
  caller.socket.write(`${ask('first')}no request at all\r\n\r\n`)
  await eventually('it is taken', () => taken.length === 1)
  taken[0]!.exchange.answer(200, '', 'answered;')
  await eventually('the connection is over', () => caller.ended)
  t.match(caller.text, /^HTTP\/1\.1 200 OK[^]*answered;HTTP\/1\.1 400 Bad Request/)
})

t.test('a caller who hangs up is counted as 499 once, and what goes on for it is cancelled', async t => {
  const { taken, ended, open } = await fastServer(t)
  const waiting = await open()
  waiting.socket.write(ask('{}', ['x-request-id: waiting']))
  await eventually('it is taken', () => taken.length === 1)
  let cancelled = 0
  taken[0]!.exchange.work = { cancel: () => void cancelled++ }
  waiting.socket.resetAndDestroy()
  await eventually('it is counted', () => ended.length === 1)
  taken[0]!.exchange.answer(200, '', 'in vain')
  const sending = await open()
  sending.socket.write(ask('{"half', ['x-request-id: sending', 'Content-Length: 100']))
  const whole = await open()
  whole.socket.write(ask('{}', ['x-request-id: whole']))
  await eventually('all is read', () => taken.length === 2)
  sending.socket.resetAndDestroy()
  await eventually('it is counted', () => ended.length === 2)
  t.equal(cancelled, 1)
  t.same(ended, [
    ['waiting', 499],
    ['sending', 499]
  ])
})

t.test('a body that does not come in time is answered 408, one that breaks off 400', async t => {
  const { taken, open } = await fastServer(t, { REQUEST_TIMEOUT_MS: '300' })
  const late = await open()
  late.socket.write(ask('{"half', ['Content-Length: 100']))
  await eventually('it is refused', () => late.ended)
  t.match(late.text, /^HTTP\/1\.1 408 Request Timeout\r\n/)
  const broken = await open()
  broken.socket.end(ask('{"half', ['Content-Length: 100']))
  await eventually('it is refused', () => broken.ended)
  t.match(broken.text, /^HTTP\/1\.1 400 Bad Request\r\n/)
  t.same(taken, [])
})

t.test('a caller who shuts the sending side is answered, and then the connection ends', async t => {
  const { taken, open } = await fastServer(t)
  const caller = await open()
  caller.socket.end(ask('{}'))
  await eventually('it is taken', () => taken.length === 1)
  t.equal(caller.ended, false)
  taken[0]!.exchange.answer(200, '', 'late')
  await eventually('the connection is over', () => caller.ended)
  t.match(caller.text, /Connection: close\r\n\r\nlate$/)
})

t.test('while the service stops, the answer ends the connection; one that a request follows does not', async t => {
  const { taken, drain, open } = await fastServer(t)
  const [alone, followed] = [await open(), await open()]
  alone.socket.write(ask('alone'))
  await eventually('it is taken', () => taken.length === 1)
  followed.socket.write(ask('first') + ask('second'))
  await eventually('it is taken', () => taken.length === 2)
  drain.draining = true
  for (const { exchange } of taken) exchange.answer(200, '', 'answered;')
  await eventually('the first connection is over', () => alone.ended)
  t.match(alone.text, /Connection: close\r\n\r\nanswered;$/)
  await eventually('the second request is answered', () => followed.text.includes('second;'))
  t.match(followed.text, /^[^]*Connection: keep-alive\r\n[^]*answered;HTTP[^]*framework:POST \/fast second;/)
})

t.test('a connection without requests is kept for KEEP_ALIVE_MS after the last answer', async t => {
  const { taken, open } = await fastServer(t, { KEEP_ALIVE_MS: '100' })
  const caller = await open()
  caller.socket.write(ask('{}'))
  await eventually('it is taken', () => taken.length === 1)
  taken[0]!.exchange.answer(200, '', 'answered;')
  await eventually('the connection is over', () => caller.ended)
  t.match(caller.text, /answered;$/)
})

t.test('an answer that is not taken keeps the next request waiting, and is whole when it is taken', async t => {
  const { taken, asked, open } = await fastServer(t)
  const caller = await open()
  caller.socket.pause()
  caller.socket.write(ask('first') + ask('second'))
  await eventually('the first is taken', () => taken.length === 1)
  const large = 'x'.repeat(20_000_000)
  taken[0]!.exchange.answer(200, '', large)
  const other = await open()
  other.socket.write(ask('other'))
  await eventually('others are served', () => taken.length === 2)
  t.same(asked, [])
  caller.socket.resume()
  await eventually('both are answered', () => caller.text.endsWith('framework:POST /fast second;'))
  t.ok(caller.text.includes(large))
})

t.test('a parser that served such a connection serves a client of this process as any other does', async t => {
  const { server, taken, open } = await fastServer(t)
  const callers = await Promise.all(Array.from({ length: 20 }, open))
  for (const { socket } of callers) socket.write(ask('{}'))
  await eventually('all are taken', () => taken.length === callers.length)
  for (const { socket } of callers) socket.destroy()
  await eventually(
    'all are gone',
    () => server.listenerCount('request') === 1 && callers.every(({ socket }) => socket.closed)
  )
  const texts = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const [response] = (await once(get({ port: portOf(server), path: '/fast', agent: false }), 'response')) as [
        IncomingMessage
      ]
      return response.setEncoding('utf8').toArray()
    })
  )
  t.same(new Set(texts.flat()), new Set(['framework:GET /fast ;']))
})
