import type { S3Client } from '@aws-sdk/client-s3'
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ModelRefused, type RefusalReason } from '../../errors.js'
import { parseManifest } from '../manifest.js'
import { type Allowed, keyOfAddress } from '../promotion/pointer.js'
import { within } from '../promotion/within.js'
import type { ModelSource, Pointer } from '../source.js'

const FILES = ['model.json', 'golden.json', 'model.onnx'] as const
const TRIES = 3
const CONNECT_MS = 2000

export interface S3Options extends Allowed {
  /** empty: that of the region */
  endpoint: string
  region: string
  accessKeyId: string
  secretAccessKey: string
  /** ms for one try to fetch a bundle */
  fetchTimeoutMs: number
  /** of each file */
  maxBytes: number
}

/** A bundle in a bucket: the one at the prefix is the promoted one, whatever it is. */
export class S3Source implements ModelSource {
  readonly #options: S3Options
  #client: Promise<S3Client> | undefined

  constructor(options: S3Options) {
    this.#options = options
  }

  async resolve(signal: AbortSignal): Promise<Pointer> {
    const { bucket, prefix } = this.#options
    const etags: string[] = []
    let text = ''
    for (const file of FILES) {
      const { body, etag } = await this.#open(`${prefix}/${file}`, signal, 'registry_unavailable')
      try {
        if (file === 'model.json') text = await this.#read(body, signal)
      } finally {
        body.destroy()
      }
      etags.push(etag)
    }
    const { name, version, run_id: runId } = parseManifest(text)
    return { kind: 's3', name, version, runId, digest: digestOf(etags), location: `s3://${bucket}/${prefix}` }
  }

  async fetch({ kind, location, digest }: Pointer, folder: string, signal: AbortSignal): Promise<void> {
    const key = keyOfAddress(location, this.#options)
    for (let left = TRIES - 1; ; left -= 1) {
      try {
        return await within(this.#options.fetchTimeoutMs, signal, async patience => {
          const etags: string[] = []
          for (const file of FILES) etags.push(await this.#save(`${key}/${file}`, join(folder, file), patience))
          if (kind === 's3' && digestOf(etags) !== digest) {
            throw new ModelRefused('superseded', 'the bucket holds another bundle by now')
          }
        })
      } catch (error) {
        const again = error instanceof ModelRefused && error.reason === 'storage_unavailable'
        if (!again || left === 0 || signal.aborted) throw error
      }
    }
  }

  async #read(body: Readable, signal: AbortSignal): Promise<string> {
    const parts: Buffer[] = []
    try {
      await pipeline(
        body,
        capped(this.#options.maxBytes),
        async (chunks: AsyncIterable<Buffer>) => {
          for await (const chunk of chunks) parts.push(chunk)
        },
        { signal }
      )
    } catch (error) {
      throw refusalOf(error, 'registry_unavailable')
    }
    return Buffer.concat(parts).toString('utf8')
  }

  /** Resolves to its ETag. */
  async #save(key: string, file: string, signal: AbortSignal): Promise<string> {
    try {
      // Open before and closed after, all written: a stream's file might be opened when the next try has begun already.
      const handle = await open(file, 'w')
      try {
        // Nothing is waited for between the two: a body that breaks while nobody listens to it would end the process.
        const { body, etag } = await this.#open(key, signal, 'storage_unavailable')
        const write = async (chunks: AsyncIterable<Buffer>) => {
          for await (const chunk of chunks) await handle.appendFile(chunk)
        }
        await pipeline(body, capped(this.#options.maxBytes), write, { signal })
        return etag
      } finally {
        await handle.close()
      }
    } catch (error) {
      throw refusalOf(error, 'storage_unavailable')
    }
  }

  async #open(key: string, signal: AbortSignal, otherwise: RefusalReason): Promise<{ body: Readable; etag: string }> {
    const { GetObjectCommand } = await import('@aws-sdk/client-s3')
    try {
      const client = await (this.#client ??= connect(this.#options))
      const command = new GetObjectCommand({ Bucket: this.#options.bucket, Key: key })
      const { Body, ETag } = await client.send(command, { abortSignal: signal })
      if (!(Body instanceof Readable)) throw new Error('the answer has no body')
      return { body: Body, etag: ETag ?? '' }
    } catch (error) {
      throw refusalOf(error, otherwise, key.slice(key.lastIndexOf('/') + 1))
    }
  }
}

/** Of a bundle in a bucket: other ETags are another bundle. */
function digestOf(etags: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(etags)).digest('hex')
}

async function connect({ endpoint, region, accessKeyId, secretAccessKey }: S3Options): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3')
  return new S3Client({
    ...(endpoint !== '' && { endpoint, forcePathStyle: true }),
    region,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    followRegionRedirects: false,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: CONNECT_MS }
  })
}

/** Passes bytes on until there are too many: what a server says of a length is not relied on. */
function capped(maxBytes: number) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let bytes = 0
    for await (const chunk of chunks) {
      bytes += chunk.length
      if (bytes > maxBytes) throw new ModelRefused('too_large', `a file of the bundle has more than ${maxBytes} bytes`)
      yield chunk
    }
  }
}

/** Codes of Node for a disk that does not take a file. */
const DISK = new Set(['ENOSPC', 'EACCES', 'EROFS', 'EFBIG', 'EDQUOT', 'EIO', 'EMFILE', 'ENOENT', 'EEXIST'])

function refusalOf(error: unknown, otherwise: RefusalReason, file = 'the bundle'): ModelRefused {
  if (error instanceof ModelRefused) return error
  const { name, code, $metadata } = error as Error & { code?: string; $metadata?: { httpStatusCode?: number } }
  const refuse = (reason: RefusalReason, message: string) => new ModelRefused(reason, message, { cause: error })
  if (code !== undefined && DISK.has(code)) return refuse('cache_io', `${file} cannot be written (${code})`)
  if (name === 'RequestTimeTooSkewed') return refuse('clock_skew', 'the clock differs too much from that of the store')
  if ($metadata?.httpStatusCode === 404) return refuse('not_found', `the store has no ${file} (${name})`)
  if ($metadata?.httpStatusCode === 403) return refuse('access_denied', `the store denies ${file} (${name})`)
  return refuse(otherwise, `the store does not give ${file} (${code ?? name})`)
}
