import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { ConfigSchema } from '../../src/settings/config.js'
import { readCompose } from '../support/compose/file.js'
import { SECRETS } from '../support/compose/system.js'

const run = promisify(execFile)

t.test('Compose takes the file, and no secret has a default', async t => {
  await readCompose(SECRETS)
  for (const name of Object.keys(SECRETS)) {
    const { [name as keyof typeof SECRETS]: _, ...others } = SECRETS
    await t.rejects(readCompose(others), { message: new RegExp(`required variable ${name} is missing a value`) })
  }
})

t.test('the secrets that ops/secrets.sh prints are all that it needs, and others each time', async t => {
  const print = async () => (await run('ops/secrets.sh')).stdout.trim().split('\n')
  const [first, second] = await Promise.all([print(), print()])
  const secrets = Object.fromEntries(first.map(line => line.split('=') as [string, string]))
  t.same(Object.keys(secrets).sort(), Object.keys(SECRETS).sort())
  await readCompose(secrets)
  t.equal(new Set([...first, ...second]).size, 2 * first.length)
})

t.test('every container is bounded, unprivileged, pinned, and cannot write to its own root', async t => {
  for (const [name, service] of Object.entries(await readCompose(SECRETS))) {
    const { cpus, memory, pids } = service.deploy?.resources?.limits ?? {}
    t.ok(cpus && memory && pids, `${name} has limits`)
    t.match(service.user, /^[1-9]/, `${name} does not run as root`)
    t.match(service, { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] }, name)
    t.match(service.image, /:v?\d+\.\d+\.\d+(-\d+)?$/, `${name} has an image of one version`)
    const open = (service.ports ?? []).filter(({ host_ip }) => host_ip !== '127.0.0.1')
    t.same(
      open.map(({ target }) => target),
      name === 'haproxy' ? [8023] : [],
      `${name} is open to other machines only where callers come`
    )
  }
})

t.test('the containers have the versions that the tests run against', async t => {
  const { minio, kafka, mlflow, haproxy } = await readCompose(SECRETS)
  const versions = readFileSync('test/servers/versions.sh', 'utf8')
  const version = (part: string) => new RegExp(`^${part}=(.+)$`, 'm').exec(versions)![1]
  t.equal(minio!.build!.args!.VERSION, version('MINIO'))
  t.equal(kafka!.image, `apache/kafka:${version('KAFKA')}`)
  t.match(mlflow!.image, `:${version('MLFLOW')}`)
  t.match(readFileSync('test/servers/haproxy/requirements.txt', 'utf8'), `haproxy==${haproxy!.image.split(':')[1]}`)
})

t.test(
  'each variable of a replica and of HAProxy is one that they know, and eight replicas stand behind it',
  async t => {
    const services = await readCompose(SECRETS)
    const replicas = Object.keys(services).filter(name => name.startsWith('replica-'))
    t.equal(replicas.length, 8)
    for (const name of replicas) {
      const unknown = Object.keys(services[name]!.environment!).filter(one => !(one in ConfigSchema.properties))
      t.same(unknown, [], name)
    }
    const known = [...readFileSync('haproxy.cfg', 'utf8').matchAll(/presetenv (LB_\w+)/g)].map(([, name]) => name!)
    const given = services.haproxy!.environment!
    t.same(
      Object.keys(given).filter(name => !known.includes(name)),
      []
    )
    const behind = Object.keys(given).filter(name => /^LB_REPLICA_\d$/.test(name))
    t.same(behind.map(name => given[name]).sort(), replicas.map(name => `${name}:8080`).sort())
    const scraped = readFileSync('ops/prometheus/prometheus.yml', 'utf8').match(/replica-\d:\d+/g)!
    const port = services[replicas[0]!]!.environment!.ADMIN_PORT
    t.same(
      scraped.sort(),
      replicas.map(name => `${name}:${port}`).sort(),
      'Prometheus asks where operators are answered'
    )
  }
)

t.test('the Dockerfiles pass hadolint', async () => {
  const files = ['Dockerfile', 'ops/minio/Dockerfile', 'ops/python/Dockerfile']
  await run('.services/compose/bin/hadolint', ['--failure-threshold', 'info', ...files])
})

t.test('the alerts fire when they should and not before', async t => {
  await run('promtool', ['check', 'config', 'ops/prometheus/prometheus.yml'])
  const { stdout } = await run('promtool', ['test', 'rules', 'ops/prometheus/alerts.test.yml'])
  t.match(stdout, 'SUCCESS')
  const tested = new Set(readFileSync('ops/prometheus/alerts.test.yml', 'utf8').match(/(?<=alertname: )\w+/g))
  const alerts = readFileSync('ops/prometheus/alerts.yml', 'utf8').match(/(?<=alert: )\w+/g)!
  t.same([...tested].sort(), alerts.sort(), 'each alert has a test')
})
