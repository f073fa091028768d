import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { follow, type Following } from '../../support/following.js'
import { breakOff, httpFront, type HttpFront } from '../../support/http-front.js'
import { published, shiftedBy, withModel } from '../../support/registered.js'
import { scrape } from '../../support/scrape.js'
import { startMinio, startMlflow } from '../../support/stores.js'
import { GENTLE, underLoad } from '../../support/under-load.js'

/** A host that does much else is slow: the answers that come must come in time, and those that never come must end. */
const RESOLVE_TIMEOUT_MS = '8000'

const minio = await startMinio()
t.teardown(() => minio.stop())
const [mlflow, strict] = await Promise.all([startMlflow({ s3: minio }), startMlflow({ s3: minio, allowedHosts: 'x' })])
t.teardown(() => Promise.all([mlflow.stop(), strict.stop()]))
const live = { 1: withModel(), 2: shiftedBy(1e6) }

const answer = (status: number, type: string, body: string) => (response: ServerResponse) =>
  void response.writeHead(status, { 'content-type': type }).end(body)
const json = (status: number, body: object) => answer(status, 'application/json', JSON.stringify(body))
const xml = (status: number, code: string) =>
  answer(status, 'application/xml', `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`)

const MLFLOW: Record<string, Partial<HttpFront>> = {
  'an error of the server': { instead: json(500, { error_code: 'INTERNAL_ERROR', message: 'no' }) },
  'no answer': { instead: () => undefined },
  'a page instead of JSON': { instead: answer(200, 'text/html', '<html><body>Log in</body></html>') },
  'ten megabytes': { instead: json(200, { model_version: { name: 'x'.repeat(10_000_000) } }) },
  'a connection that is closed': { instead: response => void response.destroy() },
  'a Host that it does not take': { target: strict.url }
}

const STORE: Record<string, [HttpFront['instead'], string]> = {
  'a store that has too much to do': [xml(503, 'SlowDown'), 'storage_unavailable'],
  'a store that denies': [xml(403, 'AccessDenied'), 'access_denied'],
  'a store whose answer breaks off': [breakOff, 'storage_unavailable']
}

/** A reload that must come to nothing, for this reason. */
async function comesToNothing(t: Test, { admin, state }: Following, what: string, reason: string): Promise<void> {
  const ended = await admin('reload')
  t.match(ended, { status: 503, json: { error: { message: new RegExp(`^${reason}: `) } } }, what)
  t.match(await state(), { ready: true, model: { version: '1' }, last_promotion: { outcome: 'refused', reason } })
}

t.test(
  'whatever MLflow answers, or does not, what serves goes on, and the replica says that it does not know',
  async t => {
    const model = await published(t, { s3: minio, mlflow }, live)
    const front = await httpFront(t, mlflow.url)
    const env = { RESOLVE_TIMEOUT_MS, POLL_INTERVAL_MS: '0' }
    const replica = await follow(t, { s3: minio, mlflow: front, name: model.name }, { env })
    await replica.serves('1')
    await model.promote('2')
    await underLoad(t, replica.service, { ...GENTLE, versions: live }, async () => {
      for (const [what, fault] of Object.entries(MLFLOW)) {
        Object.assign(front, fault)
        await comesToNothing(t, replica, what, 'registry_unavailable')
        t.equal((await scrape(replica.service.url)).get('gru_registry_up'), 0, 'the gauge says so')
        t.match(await replica.state(), { promotion: { registry_up: false, stale: true, promoted_version: '1' } })
        Object.assign(front, { target: mlflow.url, instead: undefined })
      }
      t.match(await replica.admin('reload'), { status: 200, json: { promotion: { registry_up: true, stale: false } } })
    })
    t.equal(await replica.service.stop(), 0)
  }
)

t.test('a store that fails stops a promotion, with its reason, and nothing else', async t => {
  const model = await published(t, { s3: minio, mlflow }, live)
  const front = await httpFront(t, minio.endpoint)
  // Nothing here waits for a registry that is silent.
  const env = { RESOLVE_TIMEOUT_MS: '30000', POLL_INTERVAL_MS: '0', FETCH_TIMEOUT_MS: '3000' }
  const s3 = { ...minio, endpoint: front.url }
  const replica = await follow(t, { s3, mlflow, name: model.name }, { env })
  await replica.serves('1')
  await model.promote('2')
  await underLoad(t, replica.service, { ...GENTLE, versions: live }, async () => {
    for (const [what, [instead, reason]] of Object.entries(STORE)) {
      front.instead = instead
      await comesToNothing(t, replica, what, reason)
    }
    front.instead = undefined
    minio.freeze()
    await comesToNothing(t, replica, 'a store that stands still', 'storage_unavailable')
    minio.thaw()
    await minio.kill()
    await comesToNothing(t, replica, 'a store that is gone', 'storage_unavailable')
    await minio.restart()
    t.match(await replica.admin('reload'), { status: 200, json: { model: { version: '2' } } })
  })
  const { lines } = replica.service
  t.same(
    lines.filter(line => line.includes(minio.secretAccessKey) || line.includes('Signature=')),
    [],
    'no secret is logged'
  )
  t.equal(await replica.service.stop(), 0)
})

t.test('a replica that finds no store at its start waits for it, alive and not ready', async t => {
  const model = await published(t, { s3: minio, mlflow }, live)
  await minio.kill()
  const { service, serves, state } = await follow(t, { s3: minio, mlflow, name: model.name })
  const status = async (path: string, init?: RequestInit) => (await fetch(`${service.url}${path}`, init)).status
  await service.line('storage_unavailable')
  const predict = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
  t.same([await status('/healthz'), await status('/readyz'), await status('/predict', predict)], [200, 503, 503])
  t.match(await state(), { ready: false, model: null, promotion: { promoted_version: '1', stale: true } })
  await minio.restart()
  await serves('1')
  t.equal(await status('/readyz'), 200)
  t.equal(await service.stop(), 0)
})
