import type { Answer } from './ledger.js'

/** Settings for a service of the model whose run lasts as long as its window says. */
export const SLOW = { MODEL_DIR: 'test/fixtures/bundles/slow' }

/** A window whose run lasts about `work` ms. Its forecast is the mean of the two levels plus 1. */
export function slowBody(work: number, levels: readonly [number, number] = [10, 20]) {
  const ts = ['2020-01-01T00:00:00', '2020-01-01T00:01:00']
  return { data: { ts, level: [...levels], work: [0, work] } }
}

/** Says whether an answer is the forecast of `levels`, worked out by hand. */
export function slowAnswer([first, second]: readonly [number, number] = [10, 20]) {
  const expected = Math.min(Math.fround((first + second) / 2) + 1, 1000)
  return ([row]: NonNullable<Answer['predictions']>): boolean => row?.value === expected && row.work === 0
}
