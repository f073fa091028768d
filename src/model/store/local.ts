import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ModelRefused } from '../../errors.js'
import type { BundleFiles } from '../bundle.js'
import { parseManifest } from '../manifest.js'
import type { ModelSource, Pointer } from '../source.js'

/** Reads the three files of a bundle from a folder. */
export async function readLocalBundle(folder: string): Promise<BundleFiles> {
  try {
    const [manifest, golden, model] = await Promise.all([
      readFile(join(folder, 'model.json'), 'utf8'),
      readFile(join(folder, 'golden.json'), 'utf8'),
      readFile(join(folder, 'model.onnx'))
    ])
    return { manifest, golden, model }
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException
    const reason = code === 'ENOENT' || code === 'ENOTDIR' ? 'not_found' : 'cache_io'
    throw new ModelRefused(reason, `${basename(path ?? 'the bundle')} cannot be read (${code})`, { cause: error })
  }
}

/** A folder whose bundle is the promoted one, whatever lies in it. */
export class LocalSource implements ModelSource {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async resolve(): Promise<Pointer> {
    const files = await readLocalBundle(this.#folder)
    const { name, version, run_id: runId } = parseManifest(files.manifest)
    const digest = createHash('sha256').update(files.model).digest('hex')
    return { kind: 'local', name, version, runId, digest, location: 'MODEL_DIR' }
  }

  async fetch(_pointer: Pointer, folder: string): Promise<void> {
    const { manifest, golden, model } = await readLocalBundle(this.#folder)
    await Promise.all([
      writeFile(join(folder, 'model.json'), manifest),
      writeFile(join(folder, 'golden.json'), golden),
      writeFile(join(folder, 'model.onnx'), model)
    ])
  }
}
