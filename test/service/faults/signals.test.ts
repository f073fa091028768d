import { setTimeout as after } from 'node:timers/promises'
import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { goldenAnswer } from '../../support/golden.js'
import { Ledger } from '../../support/ledger.js'
import { type Service, spawnService, startService } from '../../support/service.js'
import { unhandled } from '../../support/unhandled.js'

const bundle = gru()
const SIGNALS = ['SIGTERM', 'SIGINT'] as const
/** Longer than a start takes, so that some signals meet a service that listens. */
const LATEST_MS = 1500
/** Services at a time. */
const TOGETHER = 3

/** How a process may end: as asked, or by Node's own default before the handlers are there. */
function endsWell({ lines }: Service, ended: number | string): boolean {
  const handled = lines.some(line => line.includes('"msg":"stopping"'))
  return ended === 0 || (!handled && SIGNALS.includes(ended as 'SIGTERM'))
}

async function inGroups(count: number, run: (index: number) => Promise<void>): Promise<void> {
  const next = Array.from({ length: count }, (_, index) => index)
  const worker = async () => {
    for (let index = next.shift(); index !== undefined; index = next.shift()) await run(index)
  }
  await Promise.all(Array.from({ length: TOGETHER }, worker))
}

t.test('a signal at any moment of the start ends the process: no hang, no abort, nothing unhandled', async t => {
  const runs = 24
  await inGroups(runs, async index => {
    const offset = (LATEST_MS * index) / runs
    const service = spawnService()
    t.teardown(() => service.process.kill('SIGKILL'))
    // The offset is the fault itself.
    await after(offset)
    service.process.kill(SIGNALS[index % 2])
    if (index % 3 === 0) service.process.kill(SIGNALS[index % 2])
    const ended = await service.exit
    t.ok(endsWell(service, ended), `${Math.round(offset)} ms: ${ended}`)
    t.same(unhandled(service), [])
  })
})

t.test('a signal at any moment under load loses no request', async t => {
  await inGroups(6, async index => {
    const service = await startService({ env: { DRAIN_DELAY_MS: '2000', GRACE_MS: '30000' } })
    t.teardown(() => service.process.kill('SIGKILL'))
    const ledger = new Ledger(service.url)
    const sent = Array.from({ length: 40 }, (_, window) => {
      if (window === index * 6) service.process.kill(SIGNALS[index % 2])
      const steps = window % 10 === 0 ? 20 : 1
      return ledger.send(bodyOf(bundle, window, steps), steps === 1 ? { right: goldenAnswer(bundle, window) } : {})
    })
    await Promise.all(sent)
    if (index % 2 === 0) service.process.kill('SIGTERM')
    t.equal(await service.exit, 0)
    t.same(ledger.statuses, { 200: 40 }, `signal after ${index * 6} requests`)
    t.same([ledger.wrong, unhandled(service)], [[], []])
  })
})
