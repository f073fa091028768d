import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { buildFaulty, MAGIC } from '../../support/faulty-build.js'
import { scrape } from '../../support/scrape.js'
import { withService } from '../../support/shared-service.js'
import { SLOW, slowAnswer, slowBody } from '../../support/slow-model.js'
import { startService } from '../../support/service.js'
import { Ledger } from '../../support/ledger.js'

const RESCUES = 'gru_batch_rescues_total'
const env = { ...SLOW, BATCH_CAP: '4', DEADLINE_MS: '20000' }

t.test('a batch that fails for one of its rows is counted and its cause logged, not once a batch', async t => {
  const entry = await buildFaulty(`${t.testdir()}/build`)
  await withService(t, { entry, env }, async ({ service, ledger, before }) => {
    t.equal(before.get(RESCUES), 0, 'it counts from 0, and verification has no part of it')
    const good = (level: number) => ledger.send(slowBody(0, [level, level]), { right: slowAnswer([level, level]) })
    for (let round = 1; round <= 3; round++) {
      // While this one runs, a batch of four gathers.
      const first = ledger.send(slowBody(300), { right: slowAnswer() })
      await eventually('it runs', async () => (await scrape(service.url)).get('gru_queue_depth') === 1)
      const rows = [good(1), ledger.send(slowBody(0, [MAGIC.throws, 0])), good(2), good(3)]
      t.same(
        (await Promise.all([first, ...rows])).map(({ status }) => status),
        [200, 200, 500, 200, 200]
      )
      t.equal((await scrape(service.url)).get(RESCUES), round)
    }
    const lines = service.lines.filter(line => line.includes('could not be run whole'))
    t.equal(lines.length, 1, 'in ten seconds one line')
    t.match(JSON.parse(lines[0]!), { level: 40, rows: 4, cause: 'thrown on purpose', batches: 1 })
    return { executed: 3 }
  })
})

/** What the log says of a request that failed. */
const causeOf = (lines: string[], id: string) => {
  const line = lines.map(text => JSON.parse(text) as Record<string, unknown>).find(({ reqId }) => reqId === id)
  return line && { level: line.level, msg: line.msg, cause: (line.err as { message: string }).message }
}

t.test('each worker_failed is in the log with its own cause, under the id of its request', async t => {
  const entry = await buildFaulty(`${t.testdir()}/build`)
  const service = await startService({ entry, env })
  const ledger = new Ledger(service.url)
  const failed = async (what: string, level: number, cause: string | RegExp, beside: number[] = []) => {
    const others = beside.map(each => ledger.send(slowBody(0, [each, each]), { right: slowAnswer([each, each]) }))
    const { id, status, json } = await ledger.send(slowBody(0, [level, 0]))
    t.match([status, json?.error], [500, { code: 'worker_failed', message: 'the model run failed' }], what)
    await eventually(`the log has ${what}`, () => causeOf(service.lines, id) !== undefined)
    t.match(causeOf(service.lines, id), { level: 50, msg: 'the model run failed', cause }, what)
    await Promise.all(others)
  }
  // The second and third within the ten seconds in which a failed batch has no line of its own.
  await failed('alone', MAGIC.throws, 'thrown on purpose')
  await failed('again', MAGIC.throws, 'thrown on purpose')
  await failed('another cause', MAGIC.shortens, /values for 1 rows/)
  await failed('in company', MAGIC.throws, 'thrown on purpose', [1, 2, 3])
  await failed('with the worker', MAGIC.exits, 'the worker exited')
  t.same(ledger.wrong, [])
  ledger.close()
  t.equal(await service.stop(), 0)
})
