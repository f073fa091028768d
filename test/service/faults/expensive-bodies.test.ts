import t from 'tap'
import { gru } from '../../support/bundles.js'
import { expensiveBodies } from '../../support/expensive-bodies.js'
import { goldenAnswer } from '../../support/golden.js'
import { scrape } from '../../support/scrape.js'
import { withService } from '../../support/shared-service.js'
import { repeat, underLoad } from '../../support/under-load.js'

const bundle = gru()
const LIMIT = 327_680 // BODY_LIMIT_BYTES by default
const MIB = 1_048_576
const SENDERS = 20
const env = { BODY_LIMIT_BYTES: String(MIB) }

t.test('whatever fills a body, it is served or refused as it stands, with a short answer', t =>
  withService(t, {}, async ({ ledger }) => {
    for (const [what, body] of Object.entries(expensiveBodies(bundle, LIMIT))) {
      t.ok(body.length <= LIMIT && body.length > LIMIT / 5, `${what}: near the limit`)
      const { status, text, json } = await ledger.send(body, { right: goldenAnswer(bundle, 0) })
      if (status === 200) continue
      t.equal(status, 400, `${what}: ${status} ${json?.error?.code}`)
      t.ok(text.length < 1000, `${what}: ${text.length} bytes`)
    }
    t.ok(ledger.statuses[200]! >= 4, 'windows with spaces are served')
  })
)

t.test('twenty senders of expensive bodies take little more CPU than twenty of tables', t =>
  withService(t, { env }, async ({ service, ledger }) => {
    const bodies = expensiveBodies(bundle, MIB)
    const cpu = async () => (await scrape(service.url)).get('process_cpu_seconds_total')!
    const cost = async (kind: string) => {
      const before = await cpu()
      const send = () => ledger.send(bodies[kind], { right: goldenAnswer(bundle, 0) })
      await Promise.all(Array.from({ length: SENDERS }, send))
      return (await cpu()) - before
    }
    await cost('a table')
    const table = await cost('a table')
    for (const kind of Object.keys(bodies)) {
      const ratio = (await cost(kind)) / table
      t.ok(ratio < 5, `${kind}: ${ratio.toFixed(2)} times the CPU`)
    }
  })
)

t.test('while twenty send expensive bodies, everybody else is answered, and so are the health checks', t =>
  withService(t, { env }, async ({ service, ledger }) => {
    const bodies = Object.values(expensiveBodies(bundle, MIB))
    const ready: number[] = []
    const answers = await underLoad(t, { ...service, ledger }, { callers: 4 }, async () => {
      const checks = repeat(1, async () => ready.push((await fetch(`${service.url}/readyz`)).status))
      const senders = Array.from({ length: SENDERS }, async (_, sender) => {
        for (let at = sender; at < bodies.length * 2; at += SENDERS) await ledger.send(bodies[at % bodies.length])
      })
      await Promise.all(senders).finally(checks)
    })
    t.ok(answers.length > 50 && ready.length > 10, `${answers.length} went on, ${ready.length} checks`)
    t.same([...new Set(ready)], [200])
  })
)
