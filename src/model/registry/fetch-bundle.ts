import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ModelRefused } from '../../errors.js'
import type { BundleFiles } from '../bundle/bundle.js'
import { keyOf, type ModelSource, type ModelRef } from './source.js'
import type { BundleCache } from './cache.js'
import { readLocalBundle } from '../bundle/files.js'

/** Where a bundle can be had. */
export interface BundleStores {
  source: ModelSource
  cache: BundleCache | undefined
}

/**
 * Reads the bundle that a reference names: the copy in the cache where the reference has a digest, or else what the source has, by
 * way of a folder that is gone afterwards. Without a digest nothing tells that the source still has what was copied.
 */
export async function fetchBundle(
  { source, cache }: BundleStores,
  ref: ModelRef,
  signal: AbortSignal
): Promise<BundleFiles> {
  const key = keyOf(ref)
  if (cache?.has(key) && ref.digest !== null) {
    const copy = await cache.read(key).catch(() => undefined)
    if (copy) return copy
  }
  const folder = await (cache ? cache.temporary() : temporary())
  try {
    await source.fetch(ref, folder, signal)
    const files = await readLocalBundle(folder)
    compareDigest(ref, files)
    await cache?.keep(key, folder, files)
    return files
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function temporary(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'gru-inference-')).catch((error: NodeJS.ErrnoException) => {
    throw new ModelRefused('cache_io', `the folder for the new bundle cannot be made (${error.code})`, { cause: error })
  })
}

/** MLflow's tag is the digest of the model; that of a bucket is one of ETags, which say nothing of what is in the files. */
function compareDigest({ kind, digest }: ModelRef, { model }: BundleFiles): void {
  if (kind !== 'mlflow' || digest === null) return
  const found = createHash('sha256').update(model).digest('hex')
  if (found === digest) return
  throw new ModelRefused('checksum_mismatch', `model.onnx has sha256 ${found}, the registry states ${digest}`)
}
