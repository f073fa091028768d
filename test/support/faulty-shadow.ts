import { existsSync, readFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { type ForecastSession, openSession } from '../../src/model/inference/worker/onnx-session.js'
import { serveRing } from '../../src/model/inference/ring/consumer.js'
import type { WorkerBoot } from '../../src/model/inference/worker/messages.js'

// The entry of a worker that runs as it should for the live model, and for the shadow as FAULT_FILE says: while it is not
// there, well; `slow`, half a second a batch; `dies`, not at all.

const SLOW_MS = 500
const boot = workerData as WorkerBoot
const file = process.env.FAULT_FILE!

async function openFaulty(model: Uint8Array): Promise<ForecastSession> {
  const session = await openSession(model)
  const run: ForecastSession['run'] = (input, rows, windowRows) => {
    const fault = boot.background && existsSync(file) ? readFileSync(file, 'utf8') : ''
    if (fault === 'dies') process.exit(1)
    if (fault === 'slow') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SLOW_MS)
    return session.run(input, rows, windowRows)
  }
  return { ...session, run }
}

await serveRing(boot, parentPort!, openFaulty)
