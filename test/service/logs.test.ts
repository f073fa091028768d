import t from 'tap'
import { bodyOf, gru } from '../support/bundles.js'
import { eventually } from '../support/eventually.js'
import { exchange } from '../support/raw-socket.js'
import { CANARY } from '../support/refusal.js'
import { withService } from '../support/shared-service.js'

const bundle = gru()
const TOKEN = `${CANARY}-admin-token`

interface Line {
  level: number
  msg: string
  reqId?: string
  method?: string
  route?: string
  status?: number
  ms?: number
}

const parse = (lines: string[]) => lines.map(line => JSON.parse(line) as Line)

t.test('with LOG_REQUESTS each request is one line: id, method, route, status, time, and nothing else of it', t =>
  withService(t, { env: { LOG_REQUESTS: 'true' } }, async ({ service, ledger }) => {
    const sent = [
      await ledger.send(bodyOf(bundle, 0)),
      await ledger.send('{'),
      await ledger.get('/healthz'),
      await ledger.get('/no/such/route')
    ]
    for (const { id, status } of sent) {
      const line = JSON.parse(await service.line(`"reqId":"${id}"`)) as Line
      t.match(line, {
        level: 30,
        msg: 'request',
        status,
        method: /^(GET|POST)$/,
        route: /^(\/predict|\/healthz|unmatched)$/
      })
      t.ok(line.ms! > 0 && line.ms! < 30_000)
      t.same(Object.keys(line).sort(), ['level', 'method', 'ms', 'msg', 'pid', 'reqId', 'route', 'status', 'time'])
    }
    const requests = parse(service.lines).filter(({ msg, route }) => msg === 'request' && route !== '/metrics')
    t.equal(requests.length, sent.length)
  })
)

t.test('without it a request leaves no line', t =>
  withService(t, {}, async ({ service, ledger }) => {
    for (let index = 0; index < 5; index++) await ledger.send(bodyOf(bundle, index))
    await ledger.send('{')
    await ledger.get('/nowhere')
    t.same(
      parse(service.lines)
        .map(({ msg }) => msg)
        .filter(msg => /request|Route/i.test(msg)),
      []
    )
  })
)

t.test('bodies, queries, headers, cookies and tokens are in no log line, no metric and no answer', t =>
  withService(
    t,
    { env: { LOG_REQUESTS: 'true', LOG_LEVEL: 'trace', ADMIN_TOKEN: TOKEN } },
    async ({ service, ledger, before }) => {
      const headers = {
        authorization: `Bearer ${CANARY}`,
        cookie: CANARY,
        'user-agent': CANARY,
        referer: `http://${CANARY}`
      }
      const poisoned = JSON.stringify(bodyOf(bundle, 0)).replace(/"up":\[[^,]+/, `"up":["${CANARY}"`)
      const sent = [
        await ledger.send(bodyOf(bundle, 0), { headers, path: `/predict?key=${CANARY}` }),
        await ledger.send(poisoned, { headers }),
        await ledger.send(poisoned.slice(0, -5), { headers }),
        await ledger.send(`{"data":{"ts":["${CANARY}"]}}`),
        await ledger.send('{}', { headers, path: '/admin/reload' }),
        await ledger.send('{}', { headers: { authorization: `Bearer ${TOKEN}` }, path: `/admin/reload?key=${CANARY}` }),
        await ledger.send(CANARY, { headers: { authorization: `Bearer ${TOKEN}` }, path: '/admin/reload' }),
        await ledger.send(bodyOf(bundle, 0), { headers }),
        await ledger.get(`/${CANARY}/none?x=${CANARY}`, headers),
        await ledger.get(`/%zz${CANARY}`)
      ]
      t.same(
        sent.map(({ status }) => status),
        [400, 400, 400, 400, 401, 400, 200, 200, 404, 400]
      )
      await exchange(service.port, `GET / HTTP/9.9\r\n${CANARY}\r\n\r\n`)
      const lines = await eventually('the last line', () => service.lines.length > 0 && service.lines.join('\n'))
      const metrics = await (await fetch(`${service.url}/metrics`)).text()
      for (const [where, text] of [
        ['log', lines],
        ['metrics', metrics],
        ['answers', sent.map(({ text }) => text).join('\n')]
      ] as const) {
        t.notOk(text.includes(CANARY), where)
      }
      const promoted = parse(service.lines).filter(({ msg }) => msg === 'promotion').length
      t.equal(promoted, 2, 'the start and the reload')
      return { executed: before.get('gru_rows_executed_total')! }
    }
  )
)
