import { openBundle } from '../../src/model/bundle/bundle.js'
import { Forecast } from '../../src/model/inference/forecast.js'
import { Pool } from '../../src/model/inference/pool.js'
import type { PoolObserver } from '../../src/model/inference/pool-contract.js'
import { readLocalBundle } from '../../src/model/bundle/files.js'
import { WindowReader } from '../../src/model/inference/window.js'
import { parseJsonBody } from '../../src/server/predict/json-body.js'

/** Rows a batch holds at the most. */
export const CAP = 16
const quiet: PoolObserver = {
  batchRan() {},
  batchRescued() {},
  batchFailed() {},
  rowExpired() {},
  rowCancelled() {},
  workerDied(reason) {
    throw new Error(reason)
  }
}

/** A pool with one worker for models/gru, and what reads requests into it. */
export async function openPool() {
  const bundle = openBundle(await readLocalBundle('models/gru'))
  const workerEntry = new URL('../../dist/worker.js', import.meta.url)
  const options = { queueRows: 1024, workers: 1, batchCap: CAP, runTimeoutMs: 10_000, heapMb: 64, workerEntry }
  const pool = new Pool(bundle, options, quiet)
  await pool.start()
  return { pool, reader: new WindowReader(bundle.manifest, pool.slots, 1000) }
}

type Opened = Awaited<ReturnType<typeof openPool>>

/** Keeps 64 rows in the ring for some seconds; each answer puts the next one in, as callers in a closed loop do. */
export async function ringRowsPerSecond({ pool, reader }: Opened, bodies: Buffer[], seconds: number): Promise<number> {
  const tables = bodies.map(body => parseJsonBody(body) as Parameters<WindowReader['read']>[0])
  const end = performance.now() + seconds * 1000
  let rows = 0
  let open = 0
  await new Promise<void>((resolve, reject) => {
    const next = () => {
      const window = reader.read(tables[rows % tables.length]!, pool.acquire())
      open++
      new Forecast({ pool, window, steps: 1, deadline: Infinity }, { forecasted, failed: reject }).start()
    }
    const forecasted = () => {
      rows++
      open--
      if (performance.now() < end) next()
      else if (open === 0) resolve()
    }
    for (let row = 0; row < 64; row++) next()
  })
  return rows / seconds
}
