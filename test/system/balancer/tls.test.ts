import { Agent, type AgentOptions, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { connect } from 'node:tls'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { balanced } from '../../support/balanced.js'
import { bodyOf, gru } from '../../support/bundles.js'
import { Authority, type Certificate } from '../../support/certificates.js'
import { goldenAnswer } from '../../support/golden.js'
import { HAPROXIES } from '../../support/haproxies.js'
import type { Answer } from '../../support/ledger.js'
import { exchange, rawRequest } from '../../support/raw-socket.js'
import { freePorts } from '../../support/servers/ports.js'

const bundle = gru()
const body = JSON.stringify(bodyOf(bundle, 0))
const right = goldenAnswer(bundle, 0)
const folder = t.testdir({})
const authority = new Authority(folder, 'authority')
const other = new Authority(folder, 'other-authority')
const server = authority.sign('server')
const caller = authority.sign('caller')
const stranger = other.sign('stranger')

/** Asks for a forecast over TLS; resolves to the status and whether it is right, or to what went wrong. */
function forecast(port: number, own?: Certificate, options: AgentOptions = {}): Promise<[number, boolean] | string> {
  const agent = new Agent({ ca: authority.cert, ...(own && { cert: own.cert, key: own.key }), ...options })
  return new Promise(resolve => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    const sent = request({ port, host: '127.0.0.1', method: 'POST', path: '/predict', agent, headers })
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(`${error.code}: ${error.message}`))
    sent.on('response', async answer => {
      const { predictions } = JSON.parse(await text(answer)) as Answer
      agent.destroy()
      resolve([answer.statusCode!, right(predictions!)])
    })
    sent.end(body)
  })
}

async function withTls(t: Test, program: string, env: Record<string, string>) {
  const [tlsPort] = (await freePorts(1)) as [number]
  const haproxyEnv = { LB_TLS_BIND: `127.0.0.1:${tlsPort}`, LB_TLS_CERT: server.pem, ...env }
  return { ...(await balanced(t, { replicas: 1, program, haproxyEnv })), tlsPort }
}

for (const [name, program] of Object.entries(HAPROXIES)) {
  t.test(`with a certificate ${name} speaks TLS, 1.2 or newer, with HTTP/1.1 in it`, async t => {
    const { tlsPort, ledger } = await withTls(t, program, {})
    t.same(await forecast(tlsPort), [200, true])
    t.same(await forecast(tlsPort, undefined, { maxVersion: 'TLSv1.2' }), [200, true])
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    t.match(await forecast(tlsPort, undefined, old), /alert protocol version/, 'TLS 1.1')
    t.match(await forecast(tlsPort, undefined, { ca: other.cert }), /CERT|ISSUER|SIGNATURE/, 'the caller checks')
    const socket = connect({ port: tlsPort, host: '127.0.0.1', ca: authority.cert, ALPNProtocols: ['h2', 'http/1.1'] })
    await once(socket, 'secureConnect')
    t.equal(socket.alpnProtocol, 'http/1.1')
    socket.destroy()
    t.notMatch(await exchange(tlsPort, rawRequest(body, { connection: 'close' })), / 200 /, 'plain HTTP')
    t.equal((await ledger.send(body, { right })).status, 200, 'the plain way in stays')
  })

  t.test(`with an authority ${name} wants a certificate of each caller that it has signed`, async t => {
    const { tlsPort, stats } = await withTls(t, program, { LB_TLS_CLIENT_CA: authority.file })
    t.same(await forecast(tlsPort, caller), [200, true])
    const { requests } = (await stats()).servers.r1!
    t.match(await forecast(tlsPort), /ERR_SSL|ECONNRESET|EPIPE/, 'none')
    t.match(await forecast(tlsPort, stranger), /ERR_SSL|ECONNRESET|EPIPE/, 'one of another authority')
    t.equal((await stats()).servers.r1!.requests, requests, 'no replica has heard of them')
  })
}
