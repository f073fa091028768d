import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { NativeSystem } from '../support/compose/system.js'
import { eventually } from '../support/eventually.js'
import { type Load, startLoad } from '../support/under-load.js'

const REPLICAS = ['replica-1', 'replica-2']
const CALLERS = 12
/** So long forecasts that callers are quicker than replicas, and those who wait are not two or three but all that may. */
const STEPS = 30
/** What callers may get while replicas are killed: refused at once, cut off, or told that there is none. */
const FAILURES = [429, 502, 503]
const LIMIT_MS = 90_000
/** The port is one of this machine's own in the test; a quote is special in the settings that it is written to. */
const WEBHOOK = "http://127.0.0.1:9999/hook?to='operators'"

interface Alert {
  state?: string
  status?: string
  labels: { alertname: string; instance?: string }
}

/** How something is broken and mended, and which instance of the alert tells of it. */
interface Breakage {
  instance?: string
  break(): unknown
  mend(t: Test): unknown
}

/** The same rules and settings in less time, and without the replicas that the test does not start. */
function hurried(path: string, text: string): string {
  if (path === 'ops/prometheus/alerts.yml') {
    return text.replaceAll(/\bfor: \d+[sm]/g, 'for: 2s').replaceAll(/\[\d+m\]/g, '[6s]')
  }
  return text
    .replaceAll(/_interval: 5s/g, '_interval: 1s')
    .replaceAll(/group_(wait|interval): \d+[sm]/g, 'group_$1: 1s')
    .replaceAll(/.*replica-[3-8]:.*\n/g, '')
}

/** What the webhook is told. */
async function webhook(t: Test, system: NativeSystem): Promise<{ alerts: Alert[]; paths: Set<string> }> {
  const told: Alert[] = []
  const paths = new Set<string>()
  const server = createServer((request, response) => {
    paths.add(request.url!)
    void text(request).then(body => {
      told.push(...(JSON.parse(body) as { alerts: Alert[] }).alerts)
      response.end()
    })
  })
  const { port } = new URL(system.url('alertmanager', 9999))
  await new Promise<void>(resolve => server.listen(Number(port), '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { alerts: told, paths }
}

t.test('each thing that breaks has its alert, at Prometheus and at the webhook, until it is whole again', async t => {
  const system = await NativeSystem.of(t, {
    settings: { ALERT_WEBHOOK_URL: WEBHOOK },
    environment: {
      haproxy: { LB_REPLICA_MAXCONN: '1', LB_QUEUE: '4' },
      ...Object.fromEntries(REPLICAS.map(name => [name, { POLL_INTERVAL_MS: '500', RESOLVE_TIMEOUT_MS: '1000' }]))
    },
    edit: hurried
  })
  const told = await webhook(t, system)
  await Promise.all(['alertmanager', 'haproxy', 'prometheus', ...REPLICAS].map(name => system.start(name)))
  const at = (name: string, port: number) => new URL(system.url(name, port)).host

  const firing = async (name: string, instance?: string) => {
    const answer = await fetch(`${system.url('prometheus', 9090)}/api/v1/alerts`)
    const { data } = (await answer.json()) as { data: { alerts: Alert[] } }
    return data.alerts.some(
      ({ state, labels }) =>
        labels.alertname === name && state === 'firing' && (instance === undefined || labels.instance === instance)
    )
  }
  const heard = (name: string, wanted: string, instance?: string) =>
    told.alerts.some(
      ({ status, labels }) =>
        labels.alertname === name && status === wanted && (instance === undefined || labels.instance === instance)
    )
  /** Breaks something, sees its alert in both places, mends it, and sees the alert's end in both. */
  const breaks = (what: string, alert: string, how: Breakage) =>
    t.test(`${what}: ${alert}`, async t => {
      const { instance } = how
      await eventually(`no ${alert} before`, async () => !(await firing(alert, instance)), LIMIT_MS)
      told.alerts.length = 0
      await how.break()
      t.ok(await eventually(`${alert} fires`, () => firing(alert, instance), LIMIT_MS), 'fires')
      t.ok(await eventually(`${alert} is sent`, () => heard(alert, 'firing', instance), LIMIT_MS), 'is sent')
      await how.mend(t)
      await eventually(`${alert} ends`, async () => !(await firing(alert, instance)), LIMIT_MS)
      t.ok(await eventually('its end is sent', () => heard(alert, 'resolved', instance), LIMIT_MS), 'its end is sent')
    })
  const kill = (name: string, instance?: string) => ({
    ...(instance === undefined ? {} : { instance }),
    break: () => system.server(name).kill(),
    mend: () => system.server(name).restart()
  })

  const series = async () => {
    const answer = await fetch(`${system.url('prometheus', 9090)}/api/v1/query?query=up`)
    const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } }
    return data.result.map(({ value }) => value[1])
  }
  await eventually('all four are asked', async () => String(await series()) === '1,1,1,1', LIMIT_MS)

  await breaks('a replica is killed', 'ReplicaGone', kill('replica-2', at('replica-2', 9100)))
  await breaks('a replica stands still', 'ReplicaGone', {
    instance: at('replica-1', 9100),
    break: () => system.server('replica-1').freeze(),
    mend: () => system.server('replica-1').thaw()
  })
  await breaks('HAProxy is killed', 'HAProxyGone', kill('haproxy', at('haproxy', 8405)))
  await breaks('MLflow is killed', 'RegistryUnreachable', kill('mlflow', at('replica-2', 9100)))
  let load: Load
  const callers = { url: system.url('haproxy', 8023) }
  await breaks('more come than HAProxy takes', 'RefusalsRise', {
    break: () => (load = startLoad(callers, { callers: CALLERS, steps: STEPS, allowed: [429] })),
    async mend(t) {
      await load.stop(t)
      for (const wanted of [200, 429])
        t.ok(
          load.answers.some(({ status }) => status === wanted),
          `some got ${wanted}`
        )
    }
  })
  for (const alert of ['NoReadyReplica', 'RequestsFail']) {
    await breaks('every replica is killed', alert, {
      async break() {
        load = startLoad(callers, { callers: CALLERS, steps: STEPS, allowed: FAILURES })
        await Promise.all(REPLICAS.map(name => system.server(name).kill()))
      },
      async mend(t) {
        await load.stop(t)
        t.ok(
          load.answers.some(({ status }) => status === 503),
          'callers saw it'
        )
        await Promise.all(REPLICAS.map(name => system.server(name).restart()))
      }
    })
  }
  await breaks('Kafka is killed', 'EventsDeaf', kill('kafka', at('replica-1', 9100)))
  t.same([...told.paths], ["/hook?to='operators'"], 'the webhook is asked as it was given')
})
