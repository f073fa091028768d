import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { eventually } from '../../support/eventually.js'
import { stores } from '../../support/stores.js'

/** start.ts as its own process, once it has printed the addresses. */
async function start(t: Test) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/servers/start.ts'], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => (await lines.next()).value as string | undefined
  const addresses: Record<string, string> = {}
  for (let line = await next(); line; line = await next()) {
    const [name, value] = line.split('=', 2) as [string, string]
    addresses[name] = value
  }
  return { child, addresses }
}

/** Processes whose command line holds one of the ports, the guards of the servers included. */
function processesWith(ports: string[]): { pid: number; line: string }[] {
  return readdirSync('/proc').flatMap(pid => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      return ports.some(port => line.includes(port)) ? [{ pid: Number(pid), line }] : []
    } catch {
      return []
    }
  })
}

t.test('SIGKILL of whoever started them leaves neither a server, be it frozen, nor its data behind', async t => {
  const { child, addresses } = await start(t)
  const ports = ['TEST_S3_ENDPOINT', 'TEST_MLFLOW_URL'].map(name => new URL(addresses[name]!).port)
  const running = processesWith(ports)
  const folders = new Set(running.flatMap(({ line }) => /\/(?!\/)[^\0]*gru-(?:minio|mlflow)-\w+/.exec(line) ?? []))
  t.equal(folders.size, 2)
  for (const folder of folders) t.ok(existsSync(folder))
  const servers = running.filter(({ line }) => !line.includes('guard.sh'))
  t.ok(servers.length >= 2, 'they run')
  for (const { pid } of servers) process.kill(pid, 'SIGSTOP')
  child.kill('SIGKILL')
  await eventually('all are gone', () => processesWith(ports).length === 0)
  for (const name of ['TEST_S3_ENDPOINT', 'TEST_MLFLOW_URL']) {
    await t.rejects(fetch(addresses[name]!), { cause: { code: 'ECONNREFUSED' } })
  }
  for (const folder of folders) t.notOk(existsSync(folder), folder)
})

t.test('tests use the servers that the environment names, and say which name is missing', async t => {
  const { child, addresses } = await start(t)
  const given = await stores(addresses)
  t.match(given, {
    s3: { endpoint: addresses.TEST_S3_ENDPOINT, bucket: 'models', prefix: 'mlflow' },
    kafka: { brokers: [addresses.TEST_KAFKA_BROKERS] },
    mlflow: { url: addresses.TEST_MLFLOW_URL }
  })
  await given.stop()
  t.equal((await fetch(`${addresses.TEST_S3_ENDPOINT}`)).status, 403, 'given servers are not stopped')
  const { TEST_MLFLOW_URL: _, ...incomplete } = addresses
  await t.rejects(stores(incomplete), /^set TEST_MLFLOW_URL as well, or none of TEST_S3_ENDPOINT, /)
  child.kill('SIGTERM')
  const [code] = (await once(child, 'exit')) as [number]
  t.equal(code, 0)
})
