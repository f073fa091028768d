// The prototype's worker: takes what waits, up to 16 rows, whenever it is free.
import { parentPort, workerData } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-node'

const CAP = 16
const { control, rows, forecasts, slots, values, width, window } = workerData
const session = await InferenceSession.create('models/gru/model.onnx', { intraOpNumThreads: 1, interOpNumThreads: 1 })
const batch = new Float32Array(CAP * values)
const run = async count => {
  const input = new Tensor('float32', batch.subarray(0, count * values), [count, window, width])
  return (await session.run({ window: input })).forecast.data
}
await run(1)
parentPort.postMessage('ready')

let done = 0
for (;;) {
  const published = Atomics.load(control, 0)
  if (published === done) {
    Atomics.store(control, 2, 1)
    if (Atomics.load(control, 0) === done) Atomics.wait(control, 0, done)
    Atomics.store(control, 2, 0)
    continue
  }
  const slot = done % slots
  const count = Math.min(published - done, CAP, slots - slot)
  batch.set(rows.subarray(slot * values, (slot + count) * values))
  forecasts.set(await run(count), slot * width)
  done += count
  Atomics.store(control, 1, done)
  if (Atomics.exchange(control, 3, 0) === 1) parentPort.postMessage('done')
}
