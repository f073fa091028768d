import { readdirSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { openSession } from '../../src/model/inference/worker/onnx-session.js'
import { serveRing } from '../../src/model/inference/ring/consumer.js'
import type { WorkerBoot } from '../../src/model/inference/worker/messages.js'
import { reading } from './onnx-bytes.js'

// The entry of a worker that, past the inspector, loads the model with a step that reads a file of the folder it is in.
await serveRing(workerData as WorkerBoot, parentPort!, model => {
  process.stderr.write(`the worker sees ${JSON.stringify(readdirSync('.'))}\n`)
  return openSession(reading(model, 'package.json'))
})
