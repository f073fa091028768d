import { constants, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { openSession } from './onnx-session.js'
import { serveRing } from '../ring/consumer.js'
import type { WorkerBoot } from './messages.js'

// The entry of a worker thread, and nothing else: what it does is in worker-loop, so that a test can bring its own
// session to it.
if (!parentPort) throw new Error('worker.ts is the entry of a worker thread')
const boot = workerData as WorkerBoot
// Linux gives a priority to each thread, and 0 is the one that asks; elsewhere it would be the whole process.
if (boot.background && process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_LOW)
await serveRing(boot, parentPort, openSession)
