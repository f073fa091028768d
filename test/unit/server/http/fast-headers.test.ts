import t from 'tap'
import { eventually } from '../../../support/eventually.js'
import { ask, fastServer } from '../../../support/fast-server.js'

/** Requests that are not ordinary, each with what the framework is to get; undefined where Node refuses it. */
const UNUSUAL: [what: string, request: string, framework: string | undefined][] = [
  ['another path', ask('{}', [], 'POST /fast/ HTTP/1.1'), 'POST /fast/ {}'],
  ['a query', ask('{}', [], 'POST /fast?a=1 HTTP/1.1'), 'POST /fast?a=1 {}'],
  ['a whole address', ask('{}', [], 'POST http://h/fast HTTP/1.1'), 'POST http://h/fast {}'],
  ['an escaped path', ask('{}', [], 'POST /f%61st HTTP/1.1'), 'POST /f%61st {}'],
  ['another method', ask('{}', [], 'PUT /fast HTTP/1.1'), 'PUT /fast {}'],
  ['HTTP/1.0', ask('{}', ['Connection: keep-alive'], 'POST /fast HTTP/1.0'), 'POST /fast {}'],
  ['another type', ask('{}', ['Content-Type: text/plain']), 'POST /fast {}'],
  ['a type with a parameter', ask('{}', ['Content-Type: application/json; charset=latin1']), 'POST /fast {}'],
  ['two types', ask('{}', ['Content-Type: application/json', 'Content-Type: application/json']), 'POST /fast {}'],
  ['no type', ask('{}').replace('Content-Type: application/json\r\n', ''), 'POST /fast {}'],
  ['no body', ask(''), 'POST /fast '],
  ['a body that is too long', ask('1'.repeat(1001)), `POST /fast ${'1'.repeat(1001)}`],
  [
    'a body in chunks',
    ask('', ['Content-Length: 0']).replace('Content-Length: 0', 'Transfer-Encoding: chunked') + '2\r\n{}\r\n0\r\n\r\n',
    'POST /fast {}'
  ],
  ['a compressed body', ask('{}', ['Content-Encoding: gzip']), 'POST /fast {}'],
  ['a wish for another protocol', ask('{}', ['Connection: Upgrade', 'Upgrade: h2c']), 'POST /fast {}'],
  ['an offer of another protocol', ask('{}', ['Upgrade: h2c']), 'POST /fast {}'],
  ['the end of the connection', ask('{}', ['Connection: close']), 'POST /fast {}'],
  ['two wishes for the connection', ask('{}', ['Connection: keep-alive, te']), 'POST /fast {}'],
  ['two names', ask('{}', ['x-request-id: a', 'X-Request-Id: b']), 'POST /fast {}'],
  ['a wish to be told to go on', ask('{}', ['Expect: 100-continue']), 'POST /fast {}'],
  ['trailers', ask('{}', ['Trailer: x']), 'POST /fast {}'],
  ['two hosts', ask('{}', ['Host: a', 'Host: b']), 'POST /fast {}'],
  [
    'more headers than the parser gives at once',
    ask(
      '{}',
      Array.from({ length: 40 }, (_, n) => `x-${n}: 1`)
    ),
    'POST /fast {}'
  ],
  ['no host', ask('{}').replace('Host: h\r\n', ''), undefined]
]

t.test('whatever is unusual goes to the framework, whole', async t => {
  for (const [what, request, framework] of UNUSUAL) {
    const { taken, open } = await fastServer(t)
    const caller = await open()
    caller.socket.write(request)
    const expected = framework === undefined ? '400 Bad Request' : `framework:${framework};`
    await eventually(what, () => caller.text.includes(expected))
    t.same(taken, [], what)
  }
})
