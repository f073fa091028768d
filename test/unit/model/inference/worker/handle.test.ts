import t from 'tap'
import { WorkerHandle } from '../../../../../src/model/inference/worker/handle.js'
import type { WorkerBoot } from '../../../../../src/model/inference/worker/messages.js'
import { eventually } from '../../../../support/eventually.js'

/** The entry of a worker that says it is ready and then does something else. */
function entryOf(then: string): URL {
  const lines = [
    "import { parentPort, workerData } from 'node:worker_threads'",
    "parentPort.postMessage({ type: 'ready', inputs: [], outputs: [] })",
    then
  ]
  return new URL(`data:text/javascript,${encodeURIComponent(lines.join('\n'))}`)
}

t.test('a worker whose successor cannot be started gets one as soon as that can be', async t => {
  const boot = { ring: 0, buffer: new SharedArrayBuffer(4) } as WorkerBoot
  const end = new Int32Array(boot.buffer)
  const lives = entryOf('Atomics.wait(new Int32Array(workerData.buffer), 0, 0)')
  // No thread is made for such an address: `new Worker` throws, as it does where the host has no thread to give.
  const entries = [entryOf('process.exit(1)'), new URL('http://nowhere.invalid/')]
  const deaths: string[] = []
  const options = {
    boot,
    heapMb: 64,
    get entry() {
      return entries.shift() ?? lives
    }
  }
  const handle = new WorkerHandle(options, {
    wake: () => undefined,
    batchFailed: () => undefined,
    rowFailed: () => undefined,
    died: reason => deaths.push(reason)
  })
  await handle.start()
  await eventually('a successor lives', () => deaths.length === 2 && handle.healthy)
  t.match(deaths, ['the worker exited', /ERR_|protocol|URL/i])
  Atomics.store(end, 0, 1)
  Atomics.notify(end, 0)
  await handle.stopped()
})
