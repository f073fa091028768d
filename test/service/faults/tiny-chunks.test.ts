import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { goldenAnswer } from '../../support/golden.js'
import type { Answer } from '../../support/ledger.js'
import { residentMb } from '../../support/process-facts.js'
import { answersIn, exchange, statusesIn } from '../../support/raw-socket.js'
import { startService } from '../../support/service.js'
import { inChunksOf } from '../../support/tiny-chunks.js'
import { repeat, underLoad } from '../../support/under-load.js'

const LIMIT = 327_680 // BODY_LIMIT_BYTES by default
const SENDERS = 20
const bundle = gru()
const window = JSON.stringify(bodyOf(bundle, 0))

const service = await startService()
t.teardown(() => service.stop())

t.test('a window is served whatever the size of the chunks that it comes in', async t => {
  for (const size of [1, 2, 3, 100, 1023, 1024, 10_000]) {
    const [answer] = answersIn(await exchange(service.port, inChunksOf(size, window, { connection: 'close' })))
    t.equal(answer?.status, 200)
    t.ok(goldenAnswer(bundle, 0)((JSON.parse(answer!.body) as Answer).predictions!), `chunks of ${size} bytes`)
  }
})

t.test('twenty senders of the largest body in chunks of one byte cost others nothing, and little memory', async t => {
  const body = inChunksOf(1, window.padEnd(LIMIT, ' '), { connection: 'close' })
  const ready: number[] = []
  const memory: number[] = []
  const send = async () => statusesIn(await exchange(service.port, body))
  await underLoad(t, service, { callers: 4 }, async load => {
    await load.answered(1000)
    const usual = residentMb(service.process.pid!)
    const watch = repeat(1, async () => {
      memory.push(residentMb(service.process.pid!))
      ready.push((await fetch(`${service.url}/readyz`)).status)
    })
    const statuses = await Promise.all(Array.from({ length: SENDERS }, send)).finally(watch)
    const most = Math.max(...memory)
    t.ok(most < 1.5 * usual, `${Math.round(most)} MiB, ${Math.round(usual)} before`)
    t.same([...new Set(ready)], [200], 'every health check passes')
    // Who is not read within REQUEST_TIMEOUT_MS is told so.
    t.same(
      statuses.filter(given => !['200', '408'].includes(given.join())),
      [],
      'they are served or told that they are slow'
    )
  })
})
