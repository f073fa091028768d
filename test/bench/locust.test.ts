import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import type { LocustOptions } from '../../src/bench/locust/commands.js'
import { runLocust } from '../../src/bench/locust/sweep.js'
import { parseLocustCsv } from '../../src/bench/locust/figures.js'
import { writePayload } from '../../src/bench/locust/payload.js'
import type { Case } from '../../src/bench/load/cases.js'
import { bodyOf, gru } from '../support/bundles.js'
import { eventually } from '../support/eventually.js'
import { requestsByStatus, scrape } from '../support/scrape.js'
import { startService } from '../support/service.js'

const run = promisify(execFile)
const bundle = gru()
const names = bundle.manifest.features.map(({ name }) => name)

/** Two golden windows, with the trainer's forecasts and the bundle's own tolerance. */
const golden: Case[] = [3, 7].map(index => ({
  body: JSON.stringify(bodyOf(bundle, index)),
  rows: [
    Object.fromEntries(
      bundle.golden.windows[index]!.forecast.map((value, feature) => {
        const { relative, absolute } = bundle.golden.tolerance
        return [names[feature]!, [value, Math.max(Math.abs(value) * relative, absolute[feature]!)] as const]
      })
    )
  ],
  version: bundle.manifest.version
}))

async function order(t: Test, url: string, change: Partial<LocustOptions> = {}): Promise<LocustOptions> {
  const outDir = t.testdir()
  const bodiesFile = `${outDir}/payload.jsonl`
  await writePayload(bodiesFile, golden)
  return {
    ...{ url, users: 6, loadWorkers: 2, warmUpMs: 500, durationMs: 2500, thinkMs: 0, bodiesFile, outDir },
    ...change
  }
}

/** The row of all requests of a run, in and out of the measured interval. */
function whole({ outDir }: LocustOptions) {
  const file = `${outDir}/locust_stats.csv`
  const row = parseLocustCsv(readFileSync(file, 'utf8'), file).find(({ Name: name }) => name === 'Aggregated')!
  return { requests: Number(row['Request Count']), failures: Number(row['Failure Count']) }
}

/** Pids of Locust's processes that this test has started and that have not ended. */
async function locusts(): Promise<number[]> {
  const { stdout } = await run('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)])
  return stdout.split('\n').flatMap(line => (line.includes('load/locustfile.py') ? [Number.parseInt(line)] : []))
}

/** A server that answers each body that comes, in its turn, by `answer`. */
async function server(t: Test, answer: (response: ServerResponse, count: number) => void) {
  const bodies = new Map<string, number>()
  const sockets = new Set<unknown>()
  let count = 0
  const http = createServer((request, response) => {
    sockets.add(request.socket)
    let body = ''
    request.on('data', chunk => (body += String(chunk)))
    request.on('end', () => {
      bodies.set(body, (bodies.get(body) ?? 0) + 1)
      answer(response.setHeader('content-type', 'application/json'), ++count)
    })
  })
  await once(http.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => http.close())
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, bodies, sockets, count: () => count }
}

t.test('Locust counts what the service counts, and the service forecasts as the trainer did', async t => {
  const service = await startService()
  t.teardown(() => service.stop())
  const before = await scrape(service.url)
  const asked = await order(t, service.url)
  const figures = await runLocust(asked)
  const { requests, failures } = whole(asked)
  t.same(requestsByStatus(before, await scrape(service.url)), { 200: requests })
  t.equal(failures, 0)
  t.same(figures.whole, { ok: requests, completed: requests, errors: 0, lost: 0 })
  t.same(figures.statuses, { 200: figures.row.requests })
  t.equal(figures.row.failures, 0)
  t.ok(figures.completed > 200 && figures.completed < requests, 'the measured interval holds a part of all requests')
  t.ok(figures.checked > 0 && figures.mismatched === 0)
  t.ok(figures.elapsedMs >= 2500)
  t.equal(figures.perSecond.length, 2)
  t.ok(figures.perSecond.reduce((sum, good) => sum + good, 0) < figures.completed)
  t.equal(figures.warmUp.length, 4)
  t.same(figures.connections, [3, 3])
  t.ok(figures.row.medianMs! <= figures.row.p95Ms!)
  t.ok(figures.generator.cpuSeconds > 0)
  t.same(await locusts(), [], 'nothing is left running')
})

t.test('Locust sends the bytes of the payload, one connection a user', async t => {
  const { url, bodies, sockets } = await server(t, response => response.end('{}'))
  await runLocust(await order(t, url, { thinkMs: 5 }))
  t.same([...bodies.keys()].sort(), golden.map(({ body }) => body).sort())
  t.equal(sockets.size, 6)
})

t.test('a wrong forecast is a failure: one answer in fifty is compared', async t => {
  const { version } = bundle.manifest
  const forecast = (index: number) =>
    Object.fromEntries(bundle.golden.windows[index]!.forecast.map((v, i) => [names[i]!, v]))
  // Both bodies get the forecast of the first: every second answer is wrong, and each load worker checks each fiftieth.
  const wrong = JSON.stringify({
    model_version: version,
    predictions: [{ ...forecast(3), up: forecast(3).up! * 1.01 }]
  })
  const { url, count } = await server(t, response => response.end(wrong))
  const asked = await order(t, url)
  const { row, checked, mismatched, statuses, whole: all } = await runLocust(asked)
  t.ok(Math.abs(checked - row.requests / 50) <= 2, `${checked} of ${row.requests}`)
  t.equal(mismatched, checked)
  t.equal(row.failures, mismatched)
  t.same(statuses, { 200: row.requests })
  t.equal(whole(asked).requests, count())
  t.same(all, { ok: count(), completed: count(), errors: 0, lost: 0 })
})

t.test('another status than 2xx is a failure, and counts neither as throughput nor twice', async t => {
  const [right] = golden[0]!.rows
  const rows = Object.fromEntries(Object.entries(right!).map(([name, [value]]) => [name, value]))
  const good = JSON.stringify({ model_version: bundle.manifest.version, predictions: [rows] })
  let refused = 0
  const { url, count } = await server(t, (response, count) => {
    if (count % 4 === 0) response.writeHead(503).end('{}', () => refused++)
    else response.end(good)
  })
  const asked = await order(t, url, { loadWorkers: 1 })
  await writePayload(asked.bodiesFile, golden.slice(0, 1))
  const figures = await runLocust(asked)
  t.same(whole(asked), { requests: count(), failures: refused })
  t.same(figures.whole, { ok: count() - refused, completed: count(), errors: 0, lost: 0 })
  t.equal(figures.statuses[200]! + figures.statuses[503]!, figures.row.requests)
  t.equal(figures.statuses[503], figures.row.failures)
  t.equal(figures.mismatched, 0)
})

t.test('a target that refuses connections is all failures, not a crash', async t => {
  const { url } = await server(t, response => response.end('{}'))
  const figures = await runLocust(await order(t, url.replace(/\d+$/, '1'), { users: 2, loadWorkers: 1 }))
  t.same(figures.errors, { ConnectionRefusedError: figures.row.requests })
  t.equal(figures.row.failures, figures.row.requests)
  t.match(figures, { completed: 0, statuses: {}, perSecond: [0, 0], whole: { ok: 0, completed: 0, lost: 0 } })
  t.equal(figures.whole.errors, figures.wholeRow.requests)
})

t.test("Locust's own page is there while it runs, on loopback only", async t => {
  const { url } = await server(t, response => setTimeout(() => response.end('{}'), 5))
  const probe = createTcpServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const webPort = (probe.address() as AddressInfo).port
  probe.close()
  const running = runLocust(await order(t, url, { loadWorkers: 1, webPort }))
  const page = await eventually('the page', () => fetch(`http://127.0.0.1:${webPort}/`).catch(() => undefined))
  t.equal(page.status, 200)
  t.match(await page.text(), /Locust/)
  const { stdout } = await run('ss', ['-Hltn', `sport = :${webPort}`])
  t.match(stdout.trim().split('\n'), [/127\.0\.0\.1:/])
  t.ok((await running).completed > 0)
})

t.test('a load worker that dies is said, although Locust itself would go on without its users', async t => {
  const { url, count } = await server(t, response => setTimeout(() => response.end('{}'), 5))
  const running = runLocust(await order(t, url, { durationMs: 60_000 }))
  const failure = t.rejects(running, { code: 'child_died', message: /^Locust's load worker \d ended with SIGKILL/ })
  await eventually('load', () => count() > 20)
  const loadWorkers = (await locusts()).slice(1)
  t.equal(loadWorkers.length, 2)
  process.kill(loadWorkers[0]!, 'SIGKILL')
  await failure
  t.same(await locusts(), [], 'nothing is left running')
})

t.test('a run that is called off stops everything that it started', async t => {
  const { url, count } = await server(t, response => setTimeout(() => response.end('{}'), 5))
  const stop = new AbortController()
  const running = runLocust(await order(t, url, { durationMs: 60_000, signal: stop.signal }))
  const failure = t.rejects(running, /called off/)
  await eventually('load', () => count() > 20)
  stop.abort(new Error('called off'))
  await failure
  t.same(await locusts(), [])
})

t.test('what is missing or taken is named before anything is started', async t => {
  const taken = createTcpServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port: webPort } = taken.address() as AddressInfo
  const url = 'http://127.0.0.1:1'
  await t.rejects(runLocust(await order(t, url, { webPort })), {
    code: 'port_in_use',
    message: `port ${webPort} is in use`
  })
  const program = 'no/such/locust'
  await t.rejects(runLocust(await order(t, url, { program })), {
    code: 'program_missing',
    message:
      /^Locust is not at no\/such\/locust; to install it: python3 -m venv .* --require-hashes -r load\/requirements/
  })
  const bodiesFile = 'no/such/payload.jsonl'
  await t.rejects(runLocust(await order(t, url, { bodiesFile, loadWorkers: 1 })), {
    message: /no\/such\/payload\.jsonl/
  })
})
