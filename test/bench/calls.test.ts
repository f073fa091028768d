import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { type CallPlan, makeCalls } from '../../src/bench/load/calls/calls.js'
import { PROTOCOLS } from '../../src/bench/load/calls/protocol.js'
import { loadCases } from '../../src/bench/load/cases.js'
import { startLoad } from '../../src/bench/load/generator.js'
import { post } from '../../src/bench/load/post.js'
import { openRun } from '../../src/bench/results/store.js'
import { failedOf, forecastsOf, goodOf } from '../../src/bench/samples/answers.js'
import { askModel } from '../../src/bench/stack/model.js'
import { bench } from '../support/bench-process.js'
import { eventually } from '../support/eventually.js'
import { moodyServer } from '../support/moody-server.js'
import { startService } from '../support/service.js'

const service = await startService({ env: { WORKERS: '1' } })
t.teardown(() => service.stop())

const NAMES = ['predict', 'batch', 'v2-json', 'v2-binary'] as const

t.test(
  'the service answers the calls of every protocol with the forecasts of the trainer, window by window',
  async t => {
    const served = await askModel(service.url)
    for (const steps of [1, 3]) {
      const cases = await loadCases({ url: service.url, steps, served })
      for (const name of NAMES) {
        const plan: CallPlan = { ...served, protocol: name, windows: name === 'predict' ? 1 : 3 }
        const bodies = cases.map(({ body }) => body)
        const [first, second] = makeCalls(bodies, cases, plan)
        const protocol = PROTOCOLS[name]
        const answer = await post(`${service.url}${protocol.path(served.name)}`, first!.request, name)
        t.ok(protocol.isExpected(answer, first!.expected!, plan), `${name}, ${steps} steps`)
        t.same(protocol.failures?.(answer) ?? [], [])
        t.notOk(protocol.isExpected(answer, second!.expected!, plan), 'the forecasts of other windows do not pass')
        const others = first!.expected!.map(one => ({ ...one, version: 'other' }))
        t.notOk(protocol.isExpected(answer, others, plan), 'another version does not pass')
      }
    }
  }
)

t.test(
  'windows that fail in an answer of 200 are counted by their code, and the rest of their call is no wrong one',
  async t => {
    // Every third answer lacks two of its four forecasts. The forecasts are not the expected ones.
    const forecast = '{"model_version":"1","predictions":[{"up":1}]}'
    const bad = '{"error":{"code":"out_of_range"}}'
    const server = await moodyServer(({ number, answer }) =>
      answer(
        200,
        number % 3 === 0 ? `[${bad},${forecast},${bad},${forecast}]` : `[${new Array(4).fill(forecast).join()}]`
      )
    )
    t.teardown(server.close)
    const load = await startLoad({
      url: server.url,
      ...{ users: 1, loadWorkers: 1, thinkMs: 0, bodies: ['{}'], checkEvery: 1, seed: 1, timeoutMs: 30_000 },
      expected: [{ rows: [{ up: [1, 0] }] }],
      calls: { protocol: 'batch', windows: 4, features: [], rows: 0 }
    })
    t.teardown(() => load.kill())
    await eventually('some calls', () => server.asked > 10)
    const interval = await load.beginInterval()
    const before = server.asked
    await eventually('thirty calls', () => server.asked > before + 30)
    const figures = { ...(await interval.end()), windows: 4 }
    await load.drain()
    const { completed, checked, mismatched, partial = 0, failedWindows } = figures
    t.ok(Math.abs(partial - completed / 3) < 1, `${partial} of ${completed}`)
    t.same(failedWindows, { out_of_range: 2 * partial })
    t.same([checked, mismatched], [completed - partial, 0])
    t.equal(goodOf(figures), completed - partial)
    t.equal(failedOf(figures), partial)
    t.equal(forecastsOf(figures), 4 * completed - 2 * partial)
  }
)

for (const protocol of ['batch', 'v2-binary'] as const) {
  t.test(`a sweep of ${protocol} counts calls and forecasts, and agrees with the service`, async t => {
    const folder = `${t.testdir()}/results`
    const target = ['--target', service.url, '--replica-metrics', `${service.url}/metrics`]
    const calls = ['--protocol', protocol, '--windows', 4, '--users', 2, '--load-workers', 1]
    const sweep = bench(t, [...target, ...calls, '--duration', 1, '--quick', '--out', folder])
    t.equal(await sweep.ended, 0, sweep.said())
    const { run, cells } = await openRun(folder)
    t.match(run, { protocol, windows: 4 })
    const [{ load, replicas, checks }] = cells as [(typeof cells)[0]]
    t.match(load, { windows: 4, partial: 0, failedWindows: {}, mismatched: 0 })
    t.equal(replicas[0]!.wholeOk, load.whole.ok)
    const failed = checks.filter(({ ok }) => !ok).map(({ name }) => name)
    t.same(
      failed.filter(name => ['servers-agree', 'connections', 'same-model'].includes(name)),
      []
    )
    const [, , rps, forecasts] = /^\| 1 \| 2 \|.*$/m.exec(readFileSync(`${folder}/RESULTS.md`, 'utf8'))![0].split(' | ')
    t.ok(Math.abs(Number(forecasts) / (4 * Number(rps)) - 1) < 0.01, `${rps} calls, ${forecasts} forecasts a second`)
  })
}

t.test('a call that the target never takes ends the sweep before any load, with the reason', async t => {
  const folder = `${t.testdir()}/results`
  const many = bench(t, ['--target', service.url, '--windows', 300, '--users', 1, '--load-workers', 1, '--out', folder])
  t.equal(await many.ended, 2)
  t.match(many.said(), /^bench: .*\/predict\/batch refuses a call with 300 windows with 4\d\d: /m)

  const payload = `${t.testdir({ 'old.json': JSON.stringify({ data: {} }) })}/old.json`
  const bad = bench(t, ['--target', service.url, '--windows', 2, '--payload', payload, '--out', folder])
  t.equal(await bad.ended, 2)
  t.match(bad.said(), /^bench: .*\/predict refuses body 1 of 1 with 400: /m)
  t.notOk(existsSync(folder))
})
