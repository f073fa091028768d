import root, { type Test } from 'tap'
import { eventually } from './eventually.js'
import { Ledger } from './ledger.js'
import { grown, requestsByStatus, type Scrape, scrape } from './scrape.js'
import { type Service, type ServiceOptions, startService } from './service.js'
import { unhandled } from './unhandled.js'

/** A service that a test has to itself for a while, and the book of what is sent to it. */
export interface Shared {
  service: Service
  ledger: Ledger
  /** the metrics before the first request */
  before: Scrape
}

/** What a fault leaves in the metrics beyond what the ledger shows. */
export interface Beyond {
  /** rows that were run although no 200 came of them */
  executed?: number
  /** rows whose caller hung up */
  cancelled?: number
  /** requests whose caller hung up before the answer */
  hungUp?: number
}

/** Services by their options: tests of one file that need the same one share it, one after the other. */
const services = new Map<string, Promise<Service>>()

function sharedService(options: ServiceOptions): Promise<Service> {
  const key = JSON.stringify(options)
  const service = services.get(key) ?? startService(options)
  if (!services.has(key)) root.teardown(async () => endsWell(await service))
  services.set(key, service)
  return service
}

/** A service ends when it is asked to, not before, and leaves nothing unhandled. */
async function endsWell(service: Service): Promise<void> {
  const code = await service.stop()
  if (code !== 0 || unhandled(service).length > 0) throw new Error(`ended with ${code}:\n${service.lines.join('\n')}`)
}

/**
 * Puts a service through a fault and holds it to what every fault must leave alone: no request lost or wrong, metrics
 * equal to the ledger, nothing unhandled, and a process that goes on until it is asked to stop.
 */
export async function withService(
  t: Test,
  options: ServiceOptions,
  work: (shared: Shared) => Promise<Beyond | void>
): Promise<void> {
  const service = await sharedService(options)
  const ledger = new Ledger(service.url)
  const before = await scrape(service.url)
  const beyond = (await work({ service, ledger, before })) ?? {}
  t.same(ledger.lost, [], 'no request is lost')
  t.same(ledger.wrong, [], 'no answer is wrong')
  await reconcile(t, { service, ledger, before }, beyond)
  ledger.close()
  t.equal(service.process.exitCode, null, 'the process goes on')
  t.same(unhandled(service), [], 'nothing is left unhandled')
}

/** Compares the service's own counters with the caller's book. */
async function reconcile(t: Test, { service, ledger, before }: Shared, beyond: Beyond): Promise<void> {
  const statuses = { ...ledger.statuses, ...(beyond.hungUp && { 499: beyond.hungUp }) }
  const expected = {
    statuses,
    executed:
      ledger.entries.reduce(
        (rows, { status, steps, json }) => rows + (status === 200 && json?.predictions ? steps : 0),
        0
      ) + (beyond.executed ?? 0),
    expired: ledger.count('deadline_exceeded'),
    cancelled: beyond.cancelled ?? 0,
    full: ledger.count('queue_full')
  }
  let got: typeof expected | undefined
  // A request is counted when its last byte is out, which its caller can see a little earlier.
  await eventually(
    'metrics equal to the ledger',
    async () => {
      const after = await scrape(service.url)
      got = {
        statuses: requestsByStatus(before, after),
        executed: grown('gru_rows_executed_total', before, after),
        expired: grown('gru_rows_expired_total', before, after),
        cancelled: grown('gru_rows_cancelled_total', before, after),
        full: grown('gru_refusals_total{reason="queue_full"}', before, after)
      }
      return JSON.stringify(got) === JSON.stringify(expected)
    },
    5000
  ).catch(() => undefined)
  t.same(got, expected, 'the metrics equal the ledger')
}
