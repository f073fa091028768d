import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ModelRefused, type RefusalReason } from '../../errors.js'
import { withTimeout } from '../../abort.js'

const TRIES = 3

/** What fetching a bundle may cost. */
export interface FetchLimits {
  /** ms for one try to fetch a bundle */
  fetchTimeoutMs: number
  /** of each file */
  maxBytes: number
}

/** Tries to fetch a bundle, and tries again where the store failed; each try has a signal that ends it in time. */
export async function inTries<Result>(
  { fetchTimeoutMs }: FetchLimits,
  signal: AbortSignal,
  attempt: (signal: AbortSignal) => Promise<Result>
): Promise<Result> {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await withTimeout(fetchTimeoutMs, signal, attempt)
    } catch (error) {
      const again = error instanceof ModelRefused && error.reason === 'storage_unavailable'
      if (!again || left === 0 || signal.aborted) throw error
    }
  }
}

/** Passes bytes on until there are too many: what a server says of a length is not relied on. */
export function capped(maxBytes: number) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let bytes = 0
    for await (const chunk of chunks) {
      bytes += chunk.length
      if (bytes > maxBytes)
        throw new ModelRefused('too_large', `a file of the bundle has more than MODEL_MAX_BYTES (${maxBytes}) bytes`)
      yield chunk
    }
  }
}

export interface SaveLimits {
  /** of the file */
  maxBytes: number
  signal: AbortSignal
}

/** Writes what `ask` opens into a file. Resolves to what was opened, and the bytes written; rejects with `ModelRefused`. */
export async function save<Opened extends { body: Readable }>(
  file: string,
  ask: () => Promise<Opened>,
  { maxBytes, signal }: SaveLimits
): Promise<Opened & { bytes: number }> {
  let bytes = 0
  try {
    // Open before and closed after, all written: a stream's file might be opened when the next try has begun already.
    const handle = await open(file, 'w')
    try {
      // Nothing is waited for between the two: a body that breaks while nobody listens to it would end the process.
      const opened = await ask()
      const write = async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          await handle.appendFile(chunk)
          bytes += chunk.length
        }
      }
      await pipeline(opened.body, capped(maxBytes), write, { signal })
      return { ...opened, bytes }
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw refusalOf(error, 'storage_unavailable')
  }
}

/** Codes of Node for a disk that does not take a file. */
const DISK = new Set(['ENOSPC', 'EACCES', 'EROFS', 'EFBIG', 'EDQUOT', 'EIO', 'EMFILE', 'ENOENT', 'EEXIST'])

/** What a store, the disk or the network threw, as the reason for a refusal; `otherwise` where it says nothing else. */
export function refusalOf(error: unknown, otherwise: RefusalReason, file = 'the bundle'): ModelRefused {
  if (error instanceof ModelRefused) return error
  const { name, code, cause, $metadata } = error as Error & { code?: string; $metadata?: { httpStatusCode?: number } }
  const refuse = (reason: RefusalReason, message: string) => new ModelRefused(reason, message, { cause: error })
  if (code !== undefined && DISK.has(code)) return refuse('cache_io', `${file} cannot be written (${code})`)
  if (name === 'RequestTimeTooSkewed')
    return refuse('clock_skew', 'the clock of this host differs too much from the clock of the store')
  if ($metadata?.httpStatusCode === 404) return refuse('not_found', `the store has no ${file} (${name})`)
  if ($metadata?.httpStatusCode === 403) return refuse('access_denied', `the store denies ${file} (${name})`)
  // What Node's own fetch throws is a TypeError, and its cause what happened.
  const { code: happened } = (cause ?? {}) as { code?: string }
  return refuse(otherwise, `the store does not give ${file} (${code ?? happened ?? name})`)
}
