import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { BundleFiles } from '../../src/model/bundle/bundle.js'
import type { Golden, Manifest } from '../../src/model/bundle/manifest.js'

/** What is changed in the committed bundle; its digest is made to fit. */
export interface Change {
  version?: string
  manifest?(manifest: Manifest): void
  golden?(golden: Golden): void
  model?(model: Buffer): void
}

/** The committed bundle's three files after a change. */
export function changedBundle({ version, manifest: edit, golden: editGolden, model: editModel }: Change): BundleFiles {
  const model = readFileSync('models/gru/model.onnx')
  const manifest = JSON.parse(readFileSync('models/gru/model.json', 'utf8')) as Manifest
  const golden = JSON.parse(readFileSync('models/gru/golden.json', 'utf8')) as Golden
  editModel?.(model)
  manifest.sha256 = createHash('sha256').update(model).digest('hex')
  if (version !== undefined) manifest.version = version
  edit?.(manifest)
  editGolden?.(golden)
  return { manifest: JSON.stringify(manifest), golden: JSON.stringify(golden), model }
}

/**
 * Takes the GRU for one whose reset gate comes before the recurrent product, as other frameworks have it: the attribute
 * `linear_before_reset` from 1 to 0. After its name come, in AttributeProto, the tag of `i` (0x18) and the value.
 */
export function resetFirst(model: Buffer): void {
  const name = 'linear_before_reset'
  for (let at = model.indexOf(name); at !== -1; at = model.indexOf(name, at + 1)) {
    const value = model.indexOf(0x18, at + name.length) + 1
    if (value - at > name.length + 4 || model[value] !== 1) throw new Error('the attribute is not where it was')
    model[value] = 0
  }
}

/** Gives one of the weights in the middle of the file four bytes of this kind, wherever it begins: seven hold four in a row. */
function fillWeight(model: Buffer, byte: number): void {
  model.fill(byte, model.length >> 1, (model.length >> 1) + 7)
}

/** Makes a weight NaN: all its bits are ones. */
export function withNan(model: Buffer): void {
  fillWeight(model, 0xff)
}

/** Makes a weight 3.0, about: 0x40404040 is that number. */
export function withOtherWeight(model: Buffer): void {
  fillWeight(model, 0x40)
}

/** The same bundle with other bytes of the model, and the digest that goes with them. */
export function withModel(files: BundleFiles, model: Uint8Array): BundleFiles {
  const digest = createHash('sha256').update(model).digest('hex')
  const manifest = JSON.stringify({ ...(JSON.parse(files.manifest) as object), sha256: digest })
  return { ...files, manifest, model }
}

/** Turns that the slow model takes for a unit of work (training/src/gru_training/fixtures/slow.py). */
const TURNS = Buffer.from(Float32Array.of(22).buffer)

/** The slow bundle with a golden window that asks for 10^12 turns: days of work on any machine. */
export function endless(files: BundleFiles): BundleFiles {
  const model = Buffer.from(files.model)
  Buffer.from(Float32Array.of(1e9).buffer).copy(model, model.indexOf(TURNS))
  const golden = JSON.parse(files.golden) as { windows: { window: number[][] }[] }
  golden.windows[0]!.window.at(-1)![1] = 1000
  return withModel({ ...files, golden: JSON.stringify(golden) }, model)
}

/** Gives the graph's output another name than the manifest has, with as many letters. */
export function misnamed(model: Buffer): void {
  for (let at = model.indexOf('forecast'); at !== -1; at = model.indexOf('forecast', at)) model.write('forecas0', at)
}
