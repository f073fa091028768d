import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ModelRefused } from '../../errors.js'
import type { BundleFiles } from '../bundle.js'

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
