import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Golden, Manifest } from '../../src/model/bundle/manifest.js'
import { scaled } from './onnx-bytes.js'

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

/** The promoted model, made to forecast `factor` times as much of everything: written into `folder`, which is made. */
export function scaledGru(folder: string, factor: number): TestBundle {
  const { manifest, golden } = gru()
  const model = scaled(readFileSync('models/gru/model.onnx'), factor)
  const sha256 = createHash('sha256').update(model).digest('hex')
  const windows = golden.windows.map(window => ({ ...window, forecast: window.forecast.map(value => value * factor) }))
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}/model.onnx`, model)
  writeFileSync(`${folder}/model.json`, JSON.stringify({ ...manifest, sha256 }))
  writeFileSync(`${folder}/golden.json`, JSON.stringify({ ...golden, windows }))
  return read(folder)
}

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
