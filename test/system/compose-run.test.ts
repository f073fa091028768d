import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { NativeSystem, SECRETS } from '../support/compose/system.js'
import { eventually } from '../support/eventually.js'
import { promotedAs, underLoad } from '../support/under-load.js'

const REPLICAS = ['replica-1', 'replica-2']

/** The committed bundle with a better score, as a retraining would give. */
function better(t: Test): string {
  const folder = `${t.testdir()}/better`
  cpSync('models/gru', folder, { recursive: true })
  const manifest = JSON.parse(readFileSync(`${folder}/model.json`, 'utf8')) as {
    metrics: { test: Record<string, number> }
  }
  const scores = manifest.metrics.test
  for (const name of Object.keys(scores)) if (name.endsWith('_nrmse')) scores[name]! *= 0.9
  writeFileSync(`${folder}/model.json`, JSON.stringify(manifest))
  return folder
}

/** The version that each replica serves. */
function versions(system: NativeSystem): Promise<string[]> {
  const ask = async (name: string) => {
    const state = (await (await fetch(`${system.url(name, 8080)}/model`)).json()) as { model: { version: string } }
    return state.model.version
  }
  return Promise.all(REPLICAS.map(ask))
}

interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[]
}

/** Prometheus's answer to a query, as numbers. */
async function ask(system: NativeSystem, query: string): Promise<number[]> {
  const answer = await fetch(`${system.url('prometheus', 9090)}/api/v1/query?${new URLSearchParams({ query })}`)
  const { data, error } = (await answer.json()) as { data?: { result: { value: [number, string] }[] }; error?: string }
  if (data === undefined) throw new Error(`${query}: ${error}`)
  return data.result.map(({ value }) => Number(value[1]))
}

t.test('what compose.yaml describes serves v1, swaps to v2 under load, goes back, and is seen', async t => {
  const system = await NativeSystem.of(t)
  await Promise.all(['haproxy', 'prometheus', 'alertmanager', ...REPLICAS].map(name => system.start(name)))
  await eventually('both behind HAProxy', async () => {
    const { replicas } = (await (await fetch(`${system.url('haproxy', 8023)}/healthz`)).json()) as { replicas: number }
    return replicas === REPLICAS.length
  })
  const callers = { url: system.url('haproxy', 8023) }
  t.same(await versions(system), ['1', '1'], 'the committed bundle was registered and promoted')

  await system.run('training', 'register', '--bundle', better(t))
  await underLoad(t, callers, { versions: promotedAs('1', '2') }, async () => {
    await system.run('training', 'promote', '--name', 'gru-traffic', '--version', '2')
    await eventually('version 2 on every replica', async () => (await versions(system)).every(one => one === '2'))
    const dashboard = JSON.parse(readFileSync('ops/grafana/dashboards/gru-inference.json', 'utf8')) as Dashboard
    for (const { title, targets } of dashboard.panels) {
      for (const { expr } of targets) {
        const query = expr.replaceAll('$__rate_interval', '1m')
        const numbers = async () => (await ask(system, query)).some(value => Number.isFinite(value))
        t.ok(await eventually(`"${title}" shows ${query}`, numbers), `${title}: ${query}`)
      }
    }
  })

  await underLoad(t, callers, { versions: promotedAs('1', '2') }, async () => {
    for (const name of REPLICAS) {
      const headers = { authorization: `Bearer ${SECRETS.ADMIN_TOKEN}` }
      const { status } = await fetch(`${system.url(name, 9100)}/admin/rollback`, { method: 'POST', headers })
      t.equal(status, 200)
    }
    t.same(await versions(system), ['1', '1'])
  })

  const rules = (await (await fetch(`${system.url('prometheus', 9090)}/api/v1/rules`)).json()) as {
    data: { groups: { rules: { name: string; health: string }[] }[] }
  }
  const health = rules.data.groups.flatMap(({ rules }) => rules.map(rule => rule.health))
  const alerts = readFileSync('ops/prometheus/alerts.yml', 'utf8').match(/- alert: /g)!
  t.same(health, Array(alerts.length).fill('ok'), 'Prometheus evaluates every alert')

  await underLoad(t, callers, { versions: promotedAs('1') }, async () => {
    await Promise.all(['mlflow', 'minio', 'kafka'].map(name => system.server(name).kill()))
    await system.server('replica-2').restart()
  })
  const state = (await (await fetch(`${system.url('replica-2', 8080)}/model`)).json()) as object
  t.match(state, { model: { version: '1' }, promotion: { stale: true } }, 'a replica restarts without any store')
})
