import { Ajv, type ValidateFunction } from 'ajv'
import t from 'tap'
import { bodyOf, gru } from '../support/bundles.js'
import { eventually } from '../support/eventually.js'
import type { Entry, Ledger } from '../support/ledger.js'
import { split } from '../support/mlflow-scoring.js'
import { scrape } from '../support/scrape.js'
import { startService } from '../support/service.js'
import { withService } from '../support/shared-service.js'
import { SLOW, slowBody } from '../support/slow-model.js'
import { call, PATH, series } from '../support/timeseries.js'

interface Operation {
  operationId?: string
  summary?: string
  tags?: string[]
  security?: unknown[]
  requestBody?: { content: Record<string, { schema: object; examples?: Record<string, { value: unknown }> }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
}

interface OpenApi {
  openapi: string
  info: { title: string; version: string }
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

const bundle = gru()
const ADMIN_TOKEN = '0123456789abcdef-token'
const INFER = '/v2/models/{model}/infer'
/** The deadline is one that 30 steps keep on a slow host too. */
const env = { ADMIN_TOKEN, BODY_LIMIT_BYTES: '4096', DEADLINE_MS: '20000' }
/** What the service has for its callers; the page and the documentation itself are not part of the interface. */
const OPERATIONS = [
  'get /health',
  'get /healthz',
  'get /metrics',
  'get /model',
  'get /model/example',
  'get /ping',
  'get /predict_ping',
  'get /ready',
  'get /readyz',
  'get /version',
  'post /admin/reload',
  'post /admin/rollback',
  'post /invocations',
  'post /predict',
  'post /predict/batch',
  'post /v1/timeseries/forecast'
]

async function describe(ledger: Ledger): Promise<OpenApi> {
  return (await ledger.get('/openapi.json')).json as unknown as OpenApi
}

const formats = { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/, double: true } as const
const ajv = new Ajv({ strict: false, formats })

/** A schema of the description, ready to check values. */
function compile({ components }: OpenApi, schema: object): ValidateFunction {
  return ajv.compile({ ...schema, components })
}

/** The schema of an operation's answers with a status, ready to check one. */
function answers(api: OpenApi, method: string, path: string, status: number): ValidateFunction | undefined {
  const schema = api.paths[path]?.[method]?.responses[status]?.content?.['application/json']?.schema
  return schema && compile(api, schema)
}

t.test('/openapi.json describes every route, each with a summary, a tag and its answers', t =>
  withService(t, { env }, async ({ ledger }) => {
    const api = await describe(ledger)
    t.match(api.openapi, /^3\.1\./)
    t.match(api.info, { title: 'gru-inference', version: /^\d+\.\d+\.\d+$/ })
    const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => `${method} ${path}`)
    )
    for (const operation of OPERATIONS) t.ok(operations.includes(operation), operation)
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, { summary, tags, responses }] of Object.entries(methods)) {
        t.ok(summary && tags?.length === 1, `${method} ${path}`)
        t.ok(Object.keys(responses).length > 0, `${method} ${path}`)
        for (const { content = {} } of Object.values(responses)) {
          for (const { schema } of Object.values(content)) compile(api, schema)
        }
      }
    }
    t.equal(api.paths['/admin/reload']?.post?.security?.length, 1)
  })
)

t.test(
  'what generators of clients go by is there: names of operations and of schemas, and the items of every array',
  t =>
    withService(t, { env }, async ({ ledger }) => {
      const api = await describe(ledger)
      const operations = Object.values(api.paths).flatMap(methods => Object.values(methods))
      const ids = operations.map(({ operationId }) => operationId)
      t.ok(ids.every(id => /^[a-z][A-Za-z0-9]+$/.test(id ?? '')))
      t.equal(new Set(ids).size, ids.length)
      const bodies = operations.flatMap(({ requestBody, responses }) => [requestBody, ...Object.values(responses)])
      for (const { schema } of bodies.flatMap(body => body?.content?.['application/json'] ?? [])) {
        const [, name = ''] = /^#\/components\/schemas\/(\w+)$/.exec((schema as { $ref?: string }).$ref ?? '') ?? []
        t.ok(api.components.schemas[name], `a schema of its own: ${name}`)
      }
      for (const name of ['PredictRequest', 'PredictAnswer', 'Prediction', 'ModelAnswer', 'Model', 'ErrorAnswer']) {
        t.ok(api.components.schemas[name], name)
      }
      const arrays: object[] = []
      const look = (value: unknown): void => {
        if (typeof value !== 'object' || value === null) return
        if ((value as { type?: unknown }).type === 'array') arrays.push(value)
        for (const inner of Object.values(value)) look(inner)
      }
      look(api.components)
      look(api.paths)
      t.ok(arrays.length >= 5)
      t.same(
        arrays.filter(array => !('items' in array)),
        []
      )
    })
)

t.test('its request schema takes every golden window and refuses what the service refuses', t =>
  withService(t, { env }, async ({ ledger }) => {
    const api = await describe(ledger)
    const valid = compile(api, api.paths['/predict']!.post!.requestBody!.content['application/json']!.schema)
    for (const index of bundle.golden.windows.keys()) t.ok(valid(bodyOf(bundle, index, 30)))
    const body = bodyOf(bundle, 0)
    for (const bad of [{}, [], { ...body, x: 1 }, { data: 1 }, { data: { ts: 1 } }, { ...body, inference_length: 0 }]) {
      t.notOk(valid(bad), JSON.stringify(bad).slice(0, 40))
      t.equal((await ledger.send(bad)).status, 400)
    }
  })
)

t.test('answers of every kind are as described', t =>
  withService(t, { env }, async ({ ledger, before }) => {
    const api = await describe(ledger)
    const authorization = `Bearer ${ADMIN_TOKEN}`
    const uneven = structuredClone(bodyOf(bundle, 2))
    uneven.data.ts![0] = '2018-01-01T00:00:00'
    const asked: [string, string, Promise<Entry>, number][] = [
      ['post', '/predict', ledger.send(bodyOf(bundle, 0)), 200],
      ['post', '/predict', ledger.send(bodyOf(bundle, 1, 30)), 200],
      ['post', '/predict', ledger.send(uneven), 200],
      ['post', '/predict', ledger.send('{'), 400],
      ['post', '/predict', ledger.send({ data: {} }), 400],
      ['post', '/predict', ledger.send(' '.repeat(5000)), 413],
      ['post', '/predict/batch', ledger.send([bodyOf(bundle, 0), {}], { path: '/predict/batch' }), 200],
      ['post', '/predict/batch', ledger.send([], { path: '/predict/batch' }), 400],
      ['post', '/predict', ledger.send('x', { headers: { 'content-type': 'text/plain' } }), 415],
      ['get', '/predict_ping', ledger.get('/predict_ping'), 200],
      ['get', '/healthz', ledger.get('/healthz'), 200],
      ['get', '/ready', ledger.get('/ready'), 200],
      ['get', '/model', ledger.get('/model'), 200],
      ['get', '/model/example', ledger.get('/model/example'), 200],
      ['get', '/model/example', ledger.get('/model/example?index=99999'), 400],
      ['post', '/admin/reload', ledger.send('{}', { path: '/admin/reload' }), 401],
      ['post', '/admin/reload', ledger.send('{}', { path: '/admin/reload', headers: { authorization } }), 200],
      ['post', '/admin/rollback', ledger.send('{}', { path: '/admin/rollback', headers: { authorization } }), 409]
    ]
    for (const [method, path, entry, status] of asked) {
      const { json, status: got } = await entry
      t.equal(got, status, `${method} ${path}`)
      const check = answers(api, method, path, status)
      t.ok(check?.(json), `${method} ${path} ${status}: ${ajv.errorsText(check?.errors)}`)
    }
    // The window of the call with two is in no entry's predictions.
    return { executed: before.get('gru_rows_executed_total')! + 1 }
  })
)

t.test('answers of the protocols of peers are as described, and the examples are answered', async t => {
  const service = await startService({ env })
  t.teardown(() => service.process.kill('SIGKILL'))
  const api = (await (await fetch(`${service.url}/openapi.json`)).json()) as OpenApi
  const asked: [string, unknown, number][] = [
    ['/invocations', { dataframe_split: split(0), params: { inference_length: 6 } }, 200],
    ['/invocations', { inputs: [bundle.golden.windows[0]!.window] }, 200],
    ['/invocations', { inputs: [bundle.golden.windows[0]!.window], params: { inference_length: 2 } }, 200],
    ['/invocations', { inputs: [[]] }, 400],
    [PATH, call([series(0), {}], 6), 200],
    [PATH, {}, 400]
  ]
  for (const path of ['/predict', '/predict/batch', '/invocations', PATH, INFER]) {
    const { examples } = api.paths[path]!.post!.requestBody!.content['application/json']!
    asked.push([path, examples!.window!.value, 200])
  }
  for (const [path, body, status] of asked) {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(service.url + path.replace('{model}', bundle.manifest.name), {
      method: 'POST',
      headers,
      body: JSON.stringify(body)
    })
    t.equal(answer.status, status, path)
    const check = answers(api, 'post', path, status)
    t.ok(check?.(await answer.json()), `${path} ${status}: ${ajv.errorsText(check?.errors)}`)
    const schema = api.paths[path]!.post!.requestBody!.content['application/json']!.schema
    if (status === 200 && !JSON.stringify(body).includes('{}'))
      t.ok(compile(api, schema)(body), `${path}: the body too`)
  }
  t.equal(await service.stop(), 0)
})

t.test('refusals of a busy service are as described', t =>
  withService(
    t,
    { env: { ...SLOW, QUEUE_ROWS: '1', BATCH_CAP: '1', DEADLINE_MS: '20000' } },
    async ({ service, ledger }) => {
      const api = await describe(ledger)
      const slow = ledger.send(slowBody(500))
      await eventually('it is full', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 1)
      const { status, json } = await ledger.send(slowBody(0))
      t.equal(status, 429)
      const check = answers(api, 'post', '/predict', 429)
      t.ok(check?.(json), ajv.errorsText(check?.errors))
      await slow
    }
  )
)

t.test('an example window is one to try: its body gives the forecast that it states', t =>
  withService(t, { env }, async ({ ledger }) => {
    const { json } = await ledger.get('/model/example?index=7')
    const { expected } = json as unknown as { expected: Record<string, number> }
    const { predictions = [] } = (await ledger.send(json!.body)).json ?? {}
    t.same(json!.body, bodyOf(bundle, 7))
    for (const [index, { name }] of bundle.manifest.features.entries()) {
      t.equal(expected[name], bundle.golden.windows[7]!.forecast[index])
      const allowed = Math.max(Math.abs(expected[name]!) * 1e-4, bundle.golden.tolerance.absolute[index]!)
      t.ok(Math.abs(Number(predictions[0]?.[name]) - expected[name]!) <= allowed, name)
    }
  })
)
