import { existsSync, readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { runCeiling } from '../../src/bench/ceiling.js'
import { measure, startEcho } from '../../src/bench/ceiling/server.js'
import { renderCeiling } from '../../src/bench/ceiling/table.js'
import { eventually } from '../support/eventually.js'

const ECHO = 'scripts/speed/peers/http-echo.mjs'
const signal = new AbortController().signal

/** Command lines of the living processes that this one has started. */
function children(): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        const isOurs = readFileSync(`/proc/${pid}/status`, 'utf8').includes(`\nPPid:\t${process.pid}\n`)
        return isOurs ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')] : []
      } catch {
        return []
      }
    })
    .filter(line => /scripts\/speed|dist\/main|load\/worker/.test(line))
}

t.test('a ratio is the median of the rounds, with the least and the greatest', async t => {
  const sample = (rps: number, cpuUsPerRequest: number) => ({ rps, cpuUsPerRequest, loadWorkerShare: 0.5 })
  const text = renderCeiling({
    setting: 'a machine',
    nodeHttp: [sample(1000, 50), sample(2000, 50), sample(4000, 50)],
    fastify: [sample(500, 100), sample(1000, 80), sample(1000, 200)],
    service: [sample(400, 150), sample(900, 160), sample(600, 200)],
    rows: [
      { batchPath: 90, bare: 100 },
      { batchPath: 300, bare: 200 }
    ],
    batch: 16
  })
  // To node:http 0.4, 0.45, 0.15; to Fastify 0.8, 0.9, 0.6; CPU 1.5, 2, 1; rows 0.9, 1.5.
  t.match(text, '| bare node:http echo | 2000 | 1 | 2.00 [2.00, 4.00] | 50.0 | 0.50 [0.25, 0.63] | 50 % |')
  t.match(text, '| Fastify echo | 1000 | 0.50 [0.25, 0.50] | 1 | 100 | 1 | 50 % |')
  t.match(text, '| this service | 600 | 0.40 [0.15, 0.45] | 0.80 [0.60, 0.90] | 160 | 1.50 [1.00, 2.00] | 50 % |')
  t.match(text, '| 195 | 150 | 1.20 [0.90, 1.50] |')
})

t.test('one run measures the echoes, the service and the batch path, and leaves nothing running', async t => {
  const text = await runCeiling({ connections: 4, rounds: 1, durationMs: 200 }, signal)
  for (const name of ['bare node:http echo', 'Fastify echo', 'this service']) {
    const cells = text
      .split('\n')
      .find(line => line.startsWith(`| ${name} |`))
      ?.split(' | ')
    t.ok(Number(cells?.[1]) > 0 && Number(cells?.[4]) > 0, `${name} has a rate and a cost`)
  }
  t.match(text, /4 connections/)
  t.match(text, /^\| [\d.]+ \| [\d.]+ \| [\d.]+ \[/m, 'rows a second, and their ratio')
  t.same(children(), [])
})

t.test('a stop in mid-run gives its reason, and leaves nothing running', async t => {
  const stopping = new AbortController()
  const reason = new Error('stopped')
  const run = runCeiling({ connections: 4, rounds: 100, durationMs: 1000 }, stopping.signal)
  const refused = t.rejects(run, reason)
  await eventually('the load', () => children().some(line => line.includes('load/worker')))
  stopping.abort(reason)
  await refused
  t.same(children(), [])
})

t.test('a server that fails requests, or ends, has no figures', async t => {
  const server = await startEcho('echo', ECHO)
  const more = { connections: 2, bodies: ['{"predictions":[]}'], signal }
  const expected = [{ body: '', version: '1', rows: [{ up: [1, 0] as const }] }]
  const wrong = measure(server, { ...more, durationMs: 300, expected })
  await t.rejects(wrong, { code: 'target_down', message: /^echo: [1-9]\d* of \d+ requests failed$/ })

  const ending = measure(server, { ...more, durationMs: 60_000 })
  const refused = t.rejects(ending, { code: 'child_died', message: /^echo has ended/ })
  await eventually('the load', () => children().some(line => line.includes('load/worker')))
  await server.child.stop(1000)
  await refused
  t.notOk(existsSync(`/proc/${server.child.pid}`))
  t.same(children(), [])
})

t.test('a yardstick that does not start says why', t =>
  t.rejects(startEcho('echo', 'scripts/none.mjs'), { code: 'start_failed', message: /^echo did not start/ })
)
