import { bodyOf, type TestBundle } from './bundles.js'

/** Rows of the largest table that the service takes, MAX_ROWS. */
const ROWS = 1000
const STEP_MS = 120_000

/**
 * The largest legal table, of about 190 kB: a golden window, and before it rows which a forecast does not use. Its
 * forecast is the window's.
 */
export function largestTable(bundle: TestBundle, index: number): string {
  const { data, ...rest } = bodyOf(bundle, index)
  const { ts, ...columns } = data
  const first = Date.parse(`${String(ts![0])}Z`)
  const earlier = ROWS - ts!.length
  const times = Array.from({ length: earlier }, (_, row) =>
    new Date(first - (earlier - row) * STEP_MS).toISOString().slice(0, 19)
  )
  const longer = Object.entries(columns).map(([name, values]) => [
    name,
    [...Array.from({ length: earlier }, (_, row) => values[row % values.length]), ...values]
  ])
  return JSON.stringify({ ...rest, data: { ts: [...times, ...ts!], ...Object.fromEntries(longer) } })
}
