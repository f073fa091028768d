import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ModelRefused } from '../../errors.js'
import type { BundleFiles } from './bundle.js'
import { BUNDLE_FILES } from './files.js'

/** A folder that nothing can be said of; the message is one sentence. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
}

/** A bundle's files, and the names of all else that lies beside them. */
export interface BundleFolder {
  files: BundleFiles
  ignored: string[]
}

/**
 * Reads the three files of a bundle whoever made it, and nothing but files: a pipe or a device would never end. Rejects with
 * `Unreadable`, or with `ModelRefused` as a replica that fetches the folder would: `not_found`, `too_large`.
 */
export async function readBundleFolder(folder: string, maxBytes: number): Promise<BundleFolder> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new Unreadable(`the folder cannot be read (${error.code})`, { cause: error })
  })
  const [manifest, golden, model] = await Promise.all(
    BUNDLE_FILES.map(file => readOne(join(folder, file), file, maxBytes))
  )
  const files = { manifest: manifest!.toString('utf8'), golden: golden!.toString('utf8'), model: model! }
  return { files, ignored: names.filter(name => !(BUNDLE_FILES as readonly string[]).includes(name)).sort() }
}

async function readOne(path: string, file: string, maxBytes: number): Promise<Buffer> {
  try {
    // Not blocking: a pipe to which nobody writes is opened at once.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const { size } = await expectFile(handle.stat(), file)
      if (size > maxBytes) throw new ModelRefused('too_large', `${file} has more than ${maxBytes} bytes`)
      return await handle.readFile()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof ModelRefused || error instanceof Unreadable) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new ModelRefused('not_found', `the bundle has no ${file}`, { cause: error })
    throw new Unreadable(`${file} cannot be read (${code})`, { cause: error })
  }
}

async function expectFile<Stats extends { isFile(): boolean }>(stats: Promise<Stats>, file: string): Promise<Stats> {
  const found = await stats
  if (!found.isFile()) throw new Unreadable(`${file} is not a regular file`)
  return found
}
