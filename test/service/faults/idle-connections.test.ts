import t from 'tap'
import { eventually } from '../../support/eventually.js'
import { openIdle } from '../../support/idle-connections.js'
import { openFiles } from '../../support/process-facts.js'
import { rawGet } from '../../support/raw-socket.js'
import { scrape } from '../../support/scrape.js'
import { startService } from '../../support/service.js'
import { underLoad } from '../../support/under-load.js'

/** MAX_CONNECTIONS by default. */
const KEPT = 4096
const MANY = 6000
/** Files of the service that are no connections, and the callers' connections, at the most. */
const OTHERS = 100

const IDLE: Record<string, string> = {
  'that never ask': '',
  'that have asked once': rawGet('/healthz')
}

for (const [what, request] of Object.entries(IDLE)) {
  t.test(`thousands of connections ${what} cost callers nothing, and no more are kept than the limit`, async t => {
    const service = await startService({ env: { REQUEST_TIMEOUT_MS: '60000' } })
    t.teardown(() => service.process.kill('SIGKILL'))
    const files = () => openFiles(service.process.pid!)
    await underLoad(t, service, {}, async load => {
      const idle = await openIdle(service.port, MANY, request)
      t.teardown(() => idle.close())
      await eventually('those beyond the limit are closed', () => idle.open() <= KEPT)
      await load.answered(100)
      t.ok(files() > KEPT && files() < KEPT + OTHERS, `${files()} files are open`)
      const closed = (await scrape(service.url)).get('gru_connection_errors_total{kind="too_many"}')!
      t.ok(closed >= MANY - KEPT && closed < MANY - KEPT + OTHERS, `${closed} were closed for others`)
      idle.close()
      await eventually('they are gone', () => files() < OTHERS)
    })
    t.equal(await service.stop(), 0)
  })
}
