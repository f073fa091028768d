import { existsSync, writeFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { type ForecastSession, openSession } from '../../src/model/inference/worker/onnx-session.js'
import { serveRing } from '../../src/model/inference/ring/consumer.js'
import type { WorkerBoot } from '../../src/model/inference/worker/messages.js'
import { MAGIC } from './faulty-build.js'

// The entry of a worker that misbehaves when a batch holds a magic level, for the model in test/fixtures/bundles/slow.

const boot = workerData as WorkerBoot
/** While this file is there, no session can be opened in the first ring. */
const broken = process.env.BROKEN_FILE ?? ''

function exhaustHeap(): never {
  const hoard: unknown[] = []
  for (;;) hoard.push(new Array(10_000).fill(hoard.length))
}

async function openFaulty(model: Uint8Array): Promise<ForecastSession> {
  if (boot.ring === 0 && existsSync(broken)) throw new Error('broken on purpose')
  const session = await openSession(model)
  const run: ForecastSession['run'] = async (input, rows, windowRows) => {
    const has = (level: number) => input.window.includes(level)
    if (has(MAGIC.throws)) throw new Error('thrown on purpose')
    if (has(MAGIC.exits)) process.exit(1)
    if (has(MAGIC.exhausts)) exhaustHeap()
    if (has(MAGIC.breaks)) {
      writeFileSync(broken, '')
      process.exit(1)
    }
    const forecasts = await session.run(input, rows, windowRows)
    if (has(MAGIC.shortens)) return forecasts.subarray(1)
    return has(MAGIC.spoils) ? forecasts.fill(NaN) : forecasts
  }
  return { ...session, run }
}

await serveRing(boot, parentPort!, openFaulty)
