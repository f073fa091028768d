import t from 'tap'
import { balanced } from '../../support/balanced.js'
import { bodyOf, gru } from '../../support/bundles.js'
import { HAPROXIES } from '../../support/haproxies.js'
import { split } from '../../support/mlflow-scoring.js'
import { exchange, openRaw, rawRequest, statusesIn } from '../../support/raw-socket.js'
import { scrape } from '../../support/scrape.js'
import { sendBody } from '../../support/send-body.js'
import { call, series } from '../../support/timeseries.js'

const TOKEN = 'a-token-of-the-test'
const body = JSON.stringify(bodyOf(gru(), 0))
const { window } = gru().golden.windows[0]!
const tensor = JSON.stringify({ inputs: [{ name: 'window', datatype: 'FP32', shape: [1, 10, 11], data: [window] }] })
const closing = { connection: 'close', authorization: `Bearer ${TOKEN}` }
const post = (path: string, sent = body) => rawRequest(sent, closing, path)
const ask = (method: string, target: string, version = '1.1') =>
  `${method} ${target} HTTP/${version}\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`

const PASSED = {
  forecast: post('/predict'),
  'forecasts of many windows': post('/predict/batch', `[${body}]`),
  'V2, a tensor': post('/v2/models/gru-traffic/infer', tensor),
  'V2, a tensor for a version': post('/v2/models/gru-traffic/versions/1/infer', tensor),
  'V2, the repository': post('/v2/repository/index', ''),
  ...Object.fromEntries(
    [
      ...['/v2', '/v2/', '/v2/health/live', '/v2/health/ready', '/v2/models/stats', '/v2/models/gru-traffic'],
      ...['/config', '/stats', '/ready', '/versions/1', '/versions/1/config'].map(
        rest => `/v2/models/gru-traffic${rest}`
      )
    ].map(path => [path, ask('GET', path)])
  ),
  'a frame of MLflow': post('/invocations', JSON.stringify({ dataframe_split: split(0) })),
  'time series of KServe': post('/v1/timeseries/forecast', JSON.stringify(call([series(0)]))),
  'forecast, absolute form': post('http://localhost/predict'),
  ...Object.fromEntries(
    [
      ...['/predict_ping', '/healthz', '/readyz', '/ready', '/model', '/model/example'],
      ...['/ping', '/health', '/version']
    ].map(path => [path, ask('GET', path)])
  ),
  'HEAD /model': ask('HEAD', '/model'),
  'HTTP/1.0': ask('GET', '/predict_ping', '1.0')
}

/** Ways to write a path of the operator's. */
const ORDERS = [
  ...['/admin/reload', '/admin/rollback', '/%61dmin/reload', '/admin%2freload', '//admin/reload', '/./admin/reload'],
  ...['/predict/../admin/reload', '/predict%2f..%2fadmin%2freload', '/predict/..;/admin/reload', '/Admin/reload'],
  ...['/admin/reload/', '/admin/reload?x', '/admin/reload;x', '/admin\\reload', 'http://localhost/admin/reload'],
  ...[
    'http://localhost/%61dmin/reload',
    'http://localhost//admin/reload',
    'https://localhost/admin/reload',
    'http://localhost:80/predict/../admin/reload'
  ],
  ...['/admin/reload#/predict', '/admin/reload?/predict', '/admin/reload%00', '/admin/reload%20', '/ADMIN/RELOAD']
]
const PAGES = [
  '/',
  '/docs',
  '/docs/',
  '/docs/static/index.html',
  '/openapi.json',
  '/metrics',
  '/%6detrics',
  '//metrics'
]

const REFUSED = {
  ...Object.fromEntries(ORDERS.map(path => [`POST ${path}`, post(path)])),
  ...Object.fromEntries(PAGES.map(path => [`GET ${path}`, ask('GET', path)])),
  ...Object.fromEntries(
    [
      ...['/predict/', '/predict;x', '/predict%00', '/PREDICT', '/invocations/', '/v1/timeseries/forecast/'],
      ...['/v1/timeseries', '//invocations', '/ping', '/version']
    ].map(path => [`POST ${path}`, post(path)])
  ),
  ...Object.fromEntries(['GET', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'post'].map(m => [m, ask(m, '/predict')])),
  ...Object.fromEntries(
    ['/invocations', '/v1/timeseries/forecast', '/ping/', '/health%20'].map(path => [`GET ${path}`, ask('GET', path)])
  ),
  ...Object.fromEntries(['/model', '/healthz', '/readyz'].map(path => [`POST ${path}`, post(path)])),
  ...Object.fromEntries(
    [
      ...[
        '/v2/models/gru-traffic/infer/',
        '/v2/models/gru-traffic/versions/../infer',
        '/v2/models/%67ru-traffic/infer'
      ],
      ...[
        '/v2/models//infer',
        '/v2/models/gru-traffic/versions/infer/',
        '/v2/models/../../admin/reload',
        '/V2/models/a/infer'
      ],
      ...['/v2/models/gru-traffic', '/v2/health/ready', '/v2/repository/models/gru-traffic/unload', '/v2/admin/reload']
    ].map(path => [`POST ${path}`, post(path)])
  ),
  ...Object.fromEntries(
    ['/v2/models/gru-traffic/infer', '/v2/models/../metrics', '/v2/../metrics', '/v2//', '/v2/repository/index'].map(
      path => [`GET ${path}`, ask('GET', path)]
    )
  ),
  'OPTIONS *': ask('OPTIONS', '*'),
  CONNECT: ask('CONNECT', 'x:80'),
  'another method by a header': rawRequest(body, { ...closing, 'x-http-method-override': 'POST' }, '/admin/reload'),
  'another path by a header': rawRequest(
    body,
    { ...closing, 'x-original-url': '/predict', x_original_url: '/predict' },
    '/admin/reload'
  )
}

for (const [name, program] of Object.entries(HAPROXIES)) {
  t.test(`${name} lets through forecasts and what belongs to them, nothing else, however it is written`, async t => {
    const stack = await balanced(t, { replicas: 1, program, env: { ADMIN_TOKEN: TOKEN } })
    const { port, replicas } = stack
    for (const [what, bytes] of Object.entries(PASSED)) {
      t.same(statusesIn((await exchange(port, bytes)).replace('HTTP/1.0', 'HTTP/1.1')), [200], what)
    }
    const asked = await exchange(port, post('/predict?a=/admin/reload'))
    t.match(asked, /^HTTP\/1\.1 400 .*"code":"unknown_field"/s, 'a query is passed, and refused by the replica')
    const { requests } = (await stack.stats()).servers.r1!
    const before = await scrape(replicas[0]!.url)
    for (const [what, bytes] of Object.entries(REFUSED)) {
      const text = await exchange(port, bytes)
      // HAProxy does not take some of them for a path at all.
      t.match(text, /^HTTP\/1\.1 (404 .*"code":"not_found"|400 )/s, what)
    }
    for (const inChunks of [false, true]) {
      const bytes = body.padEnd(190_000)
      t.equal(await sendBody({ port, bytes, inChunks, path: '/admin/reload' }), 404, 'with a large body, too')
    }
    t.equal((await stack.stats()).servers.r1!.requests, requests, 'the replica never saw them')
    const after = await scrape(replicas[0]!.url)
    const orders = (scraped: typeof before) => [...scraped].filter(([series]) => series.includes('route="/admin'))
    t.same(orders(after), orders(before), 'no order was carried out')
  })

  t.test(`${name} speaks no other HTTP than 1: a connection is one request at a time`, async t => {
    const { port } = await balanced(t, { replicas: 1, program })
    const raw = await openRaw(port)
    raw.socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    t.match(await raw.closed, /^(HTTP\/1\.1 4\d\d |$)/)
    raw.socket.destroy()
  })
}
