import { writeFileSync } from 'node:fs'
import t from 'tap'
import { ApiKeys } from '../../../../src/server/edge/api-keys.js'
import { fastCallerOf } from '../../../../src/server/edge/callers.js'
import { keyLine } from '../../../support/api-keys.js'
import { eventually } from '../../../support/eventually.js'
import { ask, fastServer } from '../../../support/fast-server.js'

const folder = t.testdir({})
writeFileSync(`${folder}/keys`, keyLine('alice', 'key-of-alice'))
const keys = new ApiKeys(`${folder}/keys`)

const KNOWN = ['X-API-Key: key-of-alice', 'authorization: Bearer key-of-alice', 'AUTHORIZATION: bearer key-of-alice']
const LEFT: Record<string, string[]> = {
  'no key': [],
  'another key': ['x-api-key: other'],
  'two keys': ['x-api-key: key-of-alice', 'x-api-key: key-of-alice'],
  'two tokens': ['authorization: Bearer key-of-alice', 'authorization: Bearer key-of-alice'],
  'a page': ['x-api-key: key-of-alice', 'Origin: http://a.example']
}

t.test('a known key stays on the fast path, with its name; everybody else is left to the framework', async t => {
  const { open, taken, asked } = await fastServer(t, {}, () => true, fastCallerOf(keys, true))
  for (const header of KNOWN) {
    ;(await open()).socket.write(ask('{}', [header]))
    const { exchange } = await eventually(header, () => taken.pop())
    t.equal(exchange.caller, 'alice', header)
  }
  for (const [what, headers] of Object.entries(LEFT)) {
    ;(await open()).socket.write(ask('{}', headers))
    t.equal(await eventually(what, () => asked.pop()), '{}')
    t.same(taken, [], what)
  }
})

t.test('where only pages are told apart, everybody else is on the fast path', async t => {
  const { open, taken, asked } = await fastServer(t, {}, () => true, fastCallerOf(undefined, true))
  ;(await open()).socket.write(ask('{}', ['x-api-key: any']))
  await eventually('it is taken', () => taken.pop())
  ;(await open()).socket.write(ask('{}', ['origin: http://a.example']))
  await eventually('it is left', () => asked.pop())
  t.same(taken, [])
})

t.test('with neither, nothing is asked of a request', t => {
  t.equal(fastCallerOf(undefined, false), undefined)
  t.end()
})
