import { createHash } from 'node:crypto'
import { readLocalBundle, writeLocalBundle } from '../bundle/files.js'
import { parseManifest } from '../bundle/manifest.js'
import type { ModelSource, ModelRef } from './source.js'

/** A folder whose bundle is the promoted one, whatever lies in it. */
export class LocalSource implements ModelSource {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async resolve(): Promise<ModelRef> {
    const files = await readLocalBundle(this.#folder)
    const { name, version, run_id: runId } = parseManifest(files.manifest)
    const digest = createHash('sha256').update(files.model).digest('hex')
    return { kind: 'local', name, version, runId, digest, location: 'MODEL_DIR' }
  }

  async fetch(_pointer: ModelRef, folder: string): Promise<void> {
    await writeLocalBundle(folder, await readLocalBundle(this.#folder))
  }
}
