import type { S3Client } from '@aws-sdk/client-s3'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ModelRefused, type RefusalReason } from '../../errors.js'
import { parseManifest } from '../bundle/manifest.js'
import { type Allowed, keyOfAddress } from './artifact-uri.js'
import type { ModelSource, ModelRef } from './source.js'
import { capped, type FetchLimits, inTries, refusalOf, save } from './download.js'
import { BUNDLE_FILES } from '../bundle/files.js'

const CONNECT_MS = 2000

export interface S3Options extends Allowed, FetchLimits {
  /** empty: that of the region */
  endpoint: string
  region: string
  accessKeyId: string
  secretAccessKey: string
}

/** A bundle in a bucket: the one at the prefix is the promoted one, whatever it is. */
export class S3Source implements ModelSource {
  readonly #options: S3Options
  #client: Promise<S3Client> | undefined

  constructor(options: S3Options) {
    this.#options = options
  }

  async resolve(signal: AbortSignal): Promise<ModelRef> {
    const { bucket, prefix } = this.#options
    const etags: string[] = []
    let text = ''
    for (const file of BUNDLE_FILES) {
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

  async fetch({ kind, location, digest }: ModelRef, folder: string, signal: AbortSignal): Promise<void> {
    const key = keyOfAddress(location, this.#options)
    await inTries(this.#options, signal, async patience => {
      const etags: string[] = []
      for (const file of BUNDLE_FILES) {
        const ask = () => this.#open(`${key}/${file}`, patience, 'storage_unavailable')
        const limits = { maxBytes: this.#options.maxBytes, signal: patience }
        etags.push((await save(join(folder, file), ask, limits)).etag)
      }
      if (kind === 's3' && digestOf(etags) !== digest) {
        throw new ModelRefused('superseded', 'the bundle in the bucket changed during the download')
      }
    })
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
