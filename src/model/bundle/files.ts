import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ModelRefused } from '../../errors.js'
import type { BundleFiles } from './bundle.js'

/** What a bundle is called in a folder. */
const FILES = { manifest: 'model.json', golden: 'golden.json', model: 'model.onnx' } as const
/** In the order in which they are fetched: the large one last. */
export const BUNDLE_FILES = [FILES.manifest, FILES.golden, FILES.model] as const

/** Reads the three files of a bundle from a folder. */
export async function readLocalBundle(folder: string): Promise<BundleFiles> {
  try {
    const [manifest, golden, model] = await Promise.all([
      readFile(join(folder, FILES.manifest), 'utf8'),
      readFile(join(folder, FILES.golden), 'utf8'),
      readFile(join(folder, FILES.model))
    ])
    return { manifest, golden, model }
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException
    const reason = code === 'ENOENT' || code === 'ENOTDIR' ? 'not_found' : 'cache_io'
    throw new ModelRefused(reason, `${basename(path ?? 'the bundle')} cannot be read (${code})`, { cause: error })
  }
}

/** Writes them into a folder. Rejects as `writeFile`. */
export async function writeLocalBundle(folder: string, files: BundleFiles): Promise<void> {
  const parts = ['manifest', 'golden', 'model'] as const
  await Promise.all(parts.map(part => writeFile(join(folder, FILES[part]), files[part])))
}
