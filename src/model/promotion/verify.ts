import { ModelRefused, type ServiceError } from '../../errors.js'
import type { Bundle } from '../bundle.js'
import type { Golden, GoldenWindow } from '../manifest.js'
import { Forecast } from '../forecaster.js'
import type { Pool } from '../pool.js'
import type { ValidWindow } from '../window.js'

/** Runs golden windows, all at once, so that they share batches; resolves to a forecast row each. */
export function runWindows(pool: Pool, windows: readonly GoldenWindow[], deadline: number): Promise<number[][]> {
  return Promise.all(windows.map(window => runWindow(pool, window, deadline)))
}

function runWindow(pool: Pool, { window, minute }: GoldenWindow, deadline: number): Promise<number[]> {
  const slot = pool.acquire()
  const { slots } = pool
  slots.window.set(window.flat(), slot * slots.shape.windowRows * slots.shape.featureCount)
  if (minute) slots.minute.set(minute, slot * slots.shape.windowRows)
  // The trainer's own windows: parseGolden has checked their shape, and they are legal by definition.
  const valid = { slot, lastTime: 0, spacing: 0, warnings: [] } as unknown as ValidWindow
  return new Promise((resolve, reject) => {
    const failed = (error: ServiceError) => reject(error)
    const listener = { forecasted: ({ values }: Forecast) => resolve(values), failed }
    new Forecast({ pool, window: valid, steps: 1, deadline }, listener).start()
  })
}

/**
 * Compares the answers of a new pool with those that the trainer's framework gave. Nothing else sees a flipped weight:
 * it loads without an error and answers plausibly.
 */
export async function verifyGolden(pool: Pool, golden: Golden, deadline: number): Promise<void> {
  for (let first = 0; first < golden.windows.length; first += pool.options.queueRows) {
    const windows = golden.windows.slice(first, first + pool.options.queueRows)
    const forecasts = await runWindows(pool, windows, deadline).catch((error: ServiceError) => {
      throw new ModelRefused('golden_mismatch', `golden windows cannot be run: ${error.message}`, { cause: error })
    })
    forecasts.forEach((forecast, index) => compareGolden(pool.bundle, first + index, forecast))
  }
}

/** Refuses the bundle when `forecast`, a value a feature, is not the answer that golden window `index` states. */
export function compareGolden({ golden, manifest }: Bundle, index: number, forecast: ArrayLike<number>): void {
  const { forecast: expected } = golden.windows[index]!
  const wrong = expected.findIndex((want, feature) => !close(want, forecast[feature]!, golden, feature))
  if (wrong === -1) return
  const got = `expected ${expected[wrong]}, got ${forecast[wrong]}`
  throw new ModelRefused('golden_mismatch', `golden window ${index}, ${manifest.features[wrong]!.name}: ${got}`)
}

function close(expected: number, actual: number, { tolerance }: Golden, feature: number): boolean {
  const allowed = Math.max(Math.abs(expected) * tolerance.relative, tolerance.absolute[feature]!)
  return Math.abs(actual - expected) <= allowed
}
