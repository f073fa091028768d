import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ModelRefused } from '../../errors.js'
import type { BundleFiles } from '../bundle.js'
import type { ModelSource, Pointer } from '../source.js'
import { readLocalBundle } from '../store/local.js'

/** Reads the bundle that a pointer names by way of a folder that is gone afterwards. */
export async function obtain(source: ModelSource, pointer: Pointer, signal: AbortSignal): Promise<BundleFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'gru-inference-')).catch((error: NodeJS.ErrnoException) => {
    throw new ModelRefused('cache_io', `no folder for the new bundle can be made (${error.code})`, { cause: error })
  })
  try {
    await source.fetch(pointer, folder, signal)
    return await readLocalBundle(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
