import { createHash } from 'node:crypto'
import { ModelRefused } from '../../errors.js'
import { type Golden, type Manifest, parseGolden, parseManifest } from './manifest.js'

/** The three files of a bundle as they were read. */
export interface BundleFiles {
  manifest: string
  golden: string
  model: Uint8Array
}

/** A bundle whose digest and contract hold; its answers are checked later, by running them. */
export interface Bundle {
  manifest: Manifest
  golden: Golden
  /** the very bytes that were digested, shared with the workers */
  model: SharedArrayBuffer
  /** what it was read from; the model's bytes are the shared ones */
  files: BundleFiles
}

/** Checks the contract and the digest. A single flipped bit loads without an error and answers wrongly. */
export function openBundle(files: BundleFiles): Bundle {
  const manifest = parseManifest(files.manifest)
  const digest = createHash('sha256').update(files.model).digest('hex')
  if (digest !== manifest.sha256) {
    throw new ModelRefused('checksum_mismatch', `model.onnx has sha256 ${digest}, model.json states ${manifest.sha256}`)
  }
  const model = new SharedArrayBuffer(files.model.byteLength)
  const bytes = new Uint8Array(model)
  bytes.set(files.model)
  return { manifest, golden: parseGolden(files.golden, manifest), model, files: { ...files, model: bytes } }
}
