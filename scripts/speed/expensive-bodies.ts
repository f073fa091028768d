import type { WindowReader } from '../../src/model/inference/window.js'
import { exactly } from '../../src/validate.js'
import { parseJsonBody } from '../../src/server/predict/json-body.js'
import { type PredictBody, predictSchema } from '../../src/server/schemas/predict.js'
import { gru } from '../../test/support/bundles.js'
import { expensiveBodies as bodiesOf, tableOf } from '../../test/support/expensive-bodies.js'
import type { Figure } from './report.js'
import { openPool } from './ring.js'

/** BODY_LIMIT_BYTES by default. */
const BYTES = 327_680

/** Microseconds of CPU of the cheapest of some rounds: what a machine that does other things too adds is left out. */
class Cheapest {
  us = Infinity

  measure(work: () => unknown): void {
    const before = process.cpuUsage()
    try {
      work()
    } catch {
      // A refusal costs what it costs.
    }
    const { user, system } = process.cpuUsage(before)
    this.us = Math.min(this.us, user + system)
  }
}

/**
 * The CPU of the dearest bodies, from their bytes to a window in the ring or a refusal, to what `JSON.parse` takes
 * for a table of as many bytes; each measured beside the other.
 */
export async function expensiveBodies(rounds: number): Promise<Figure[]> {
  const { pool, reader } = await openPool()
  const slot = pool.acquire()
  const validate = exactly.compile<PredictBody>(predictSchema(30).body)
  const handle = (body: Buffer) => {
    const parsed = parseJsonBody(body)
    if (validate(parsed)) reader.read(parsed as Parameters<WindowReader['read']>[0], slot)
  }
  const measured = new Map<string, { ours: Cheapest; table: Cheapest; bytes: number }>()
  const yardstick = tableOf(gru(), BYTES)
  for (let round = 0; round <= rounds * 3; round++) {
    for (const [what, body] of Object.entries(bodiesOf(gru(), BYTES))) {
      const one = measured.get(what) ?? { ours: new Cheapest(), table: new Cheapest(), bytes: body.length }
      measured.set(what, one)
      one.ours.measure(() => handle(body))
      one.table.measure(() => JSON.parse(yardstick))
    }
  }
  await pool.close()
  const dearest = [...measured]
    .map(([what, { ours, table, bytes }]) => ({ what, ratio: ours.us / ((table.us * bytes) / yardstick.length) }))
    .sort((one, other) => other.ratio - one.ratio)
  const named = dearest.slice(0, 5).map(({ what, ratio }) => `${what} ${ratio.toFixed(1)}`)
  const detail = `of ${dearest.length} kinds of ${BYTES} bytes: ${named.join('; ')}`
  return [{ what: 'the dearest body, to JSON.parse of a table', value: dearest[0]!.ratio, bar: { most: 5 }, detail }]
}
