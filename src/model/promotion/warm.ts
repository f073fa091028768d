import type { Pool } from '../pool.js'
import { runWindows } from './verify.js'

/**
 * Runs the batch sizes in use before the first caller comes: onnxruntime plans its memory at the first run of a shape.
 * Rows go to the shortest ring, so `size` rows for each worker give every worker about that batch.
 */
export async function warm(pool: Pool, deadline: number): Promise<void> {
  const { windows } = pool.bundle.golden
  const { batchCap, workers, queueRows } = pool.options
  for (let size = 1; size < batchCap * 2; size *= 2) {
    const rows = Math.min(Math.min(size, batchCap) * workers, queueRows)
    await runWindows(
      pool,
      Array.from({ length: rows }, (_, index) => windows[index % windows.length]!),
      deadline
    )
  }
}
