import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { ConfigSchema } from '../../src/settings/config.js'
import { readCompose } from '../support/compose/file.js'
import { HAPROXIES } from '../support/haproxies.js'
import { SECRETS } from '../support/compose/system.js'

const run = promisify(execFile)

t.test(
  'Compose takes the file, no secret has a default, and one line says which is missing and what to do',
  async t => {
    await readCompose(SECRETS)
    const said = (secrets: Record<string, string>) =>
      readCompose(secrets).then(
        () => 'nothing',
        (error: { stderr: string }) => error.stderr
      )
    const line = (name: string) =>
      `error while interpolating x-secrets: required variable ${name} is missing a value: ` +
      'make .env first: (umask 077 && ops/secrets.sh >.env)\n'
    for (const name of Object.keys(SECRETS)) {
      const { [name as keyof typeof SECRETS]: _, ...others } = SECRETS
      t.equal(await said(others), line(name))
      t.equal(await said({ ...others, [name]: '' }), line(name), 'an empty one is none')
    }
    t.equal(await said({}), line('S3_ACCESS_KEY_ID'), 'without .env it is one line too')
  }
)

t.test('a variable that may be empty is no secret: each other one is asked for where that is said', t => {
  const text = readFileSync('compose.yaml', 'utf8')
  const names = (pattern: RegExp) => new Set([...text.matchAll(pattern)].map(([, name]) => name!))
  const demanded = names(/\$\{(\w+):\?/g)
  t.same([...demanded].sort(), Object.keys(SECRETS).sort())
  const optional = [...names(/\$\{(\w+):-/g)].filter(name => !demanded.has(name))
  t.same(optional.sort(), ['ALERT_WEBHOOK_URL', 'LB_BALANCE'])
  t.end()
})

t.test(
  'each image of ours is built once, by whoever is there when others need it, and no registry is asked for it',
  async t => {
    const services = await readCompose(SECRETS)
    const ours = Object.entries(services).filter(([, { image }]) => image.startsWith('gru-inference'))
    for (const image of new Set(ours.map(([, { image }]) => image))) {
      const users = ours.filter(([, service]) => service.image === image)
      const builders = users.filter(([, { build }]) => build)
      t.equal(builders.length, 1, `${image} has one builder`)
      for (const [name, service] of users) {
        if (!service.build) t.equal(service.pull_policy, 'never', `${name} waits for what ${builders[0]![0]} builds`)
        const [, builder] = builders[0]!
        // A service without a profile is in every `up`; its builder must be, too.
        if (!service.profiles) t.notOk(builder.profiles, `${name} is in no profile, and neither is its builder`)
        else if (builder.profiles) t.same(builder.profiles, service.profiles, `${name} is started with its builder`)
      }
    }
  }
)

t.test('each replica has a volume of its own for what it has fetched, which a new image lets it write to', async t => {
  const services = await readCompose(SECRETS)
  const replicas = Object.entries(services).filter(([name]) => name.startsWith('replica-'))
  const sources = replicas.map(([name, { volumes = [], environment }]) => {
    t.match(volumes, [{ type: 'volume', target: environment!.CACHE_DIR! }], name)
    return volumes[0]!.source
  })
  t.equal(new Set(sources).size, 8)
  const [, { user, environment }] = replicas[0]!
  const account = /useradd --system --uid (\d+) .* (\w+) && install -d -m 700 -o (\w+) -g \w+ (\S+)\n/.exec(
    readFileSync('Dockerfile', 'utf8')
  )!
  t.same(
    [account[1], account[3], account[4]],
    [user!.split(':')[0], account[2], environment!.CACHE_DIR],
    'the folder under the mount is its own'
  )
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

t.test(
  "HAProxy's server-template cannot say which server another follows: so compose.yaml has eight services",
  async t => {
    const head = [
      ...['defaults', 'mode http', 'timeout connect 1s', 'timeout client 1s', 'timeout server 1s'],
      ...['frontend service', 'bind 127.0.0.1:8023'],
      ...['backend alive', 'server-template r 2 127.0.0.1:8080 check', 'backend replicas']
    ]
    const file = `${t.testdir()}/haproxy.cfg`
    for (const [name, program] of Object.entries(HAPROXIES)) {
      const check = async (...servers: string[]) => {
        writeFileSync(file, [...head, ...servers, ''].join('\n'))
        await run(program, ['-c', '-f', file])
      }
      await check('server r1 127.0.0.1:8080 track alive/r1', 'server r2 127.0.0.1:8080 track alive/r2')
      await t.rejects(
        check('server-template r 2 127.0.0.1:8080 track alive/r'),
        /replicas\/r2' ?: unable to find required server 'r' for tracking/,
        name
      )
    }
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
  const explained = readFileSync('docs/guides/operations.md', 'utf8').match(/(?<=^\| `)[A-Z]\w+(?=` \|)/gm)!
  t.same(explained.sort(), alerts.sort(), 'docs/guides/operations.md says of each what to look at')
})
