import { readFileSync } from 'node:fs'
import type { Golden, Manifest } from '../../src/model/manifest.js'

export interface TestBundle {
  folder: string
  manifest: Manifest
  golden: Golden & { rollouts?: { index: number; forecasts: number[][] }[] }
}

function read(folder: string): TestBundle {
  const json = (file: string): unknown => JSON.parse(readFileSync(`${folder}/${file}`, 'utf8'))
  return { folder, manifest: json('model.json') as Manifest, golden: json('golden.json') as TestBundle['golden'] }
}

/** The promoted model that the repository carries. */
export const gru = () => read('models/gru')
/** A small LSTM with other columns, window and frequency, and the `minute` input. */
export const lstm = () => read('test/fixtures/bundles/lstm-small')

/** The body of `POST /predict` for a golden window. */
export function bodyOf({ manifest, golden }: TestBundle, index: number, steps?: number) {
  const { time, window } = golden.windows[index]!
  const columns = manifest.features.map(({ name }, feature) => [name, window.map(row => row[feature]!)] as const)
  return {
    index_col: 'ts',
    data: { ts: time, ...Object.fromEntries(columns) } as Record<string, unknown[]>,
    ...(steps !== undefined && { inference_length: steps })
  }
}
