import { PutObjectCommand } from '@aws-sdk/client-s3'
import type { Test } from 'tap'
import type { BundleFiles } from '../../src/model/bundle/bundle.js'
import { Ledger } from './ledger.js'
import { Operator } from './operator.js'
import { type Minio, s3Client, startMinio } from './stores.js'

export const ADMIN_TOKEN = 'token-of-the-bucket-tests'
const S3_PREFIX = 'bundles/live'

/** A host that does much else is slow, which is nothing against a store or a model. */
const PATIENT = { RESOLVE_TIMEOUT_MS: '60000', SANDBOX_TIMEOUT_MS: '120000' }

/** A real bucket whose bundle is the promoted one. */
export interface Bucket {
  minio: Minio
  /** promotes these files */
  put(files: BundleFiles): Promise<void>
  /** settings of a service that serves what is promoted here; at another endpoint where there is one */
  env(endpoint?: string): Record<string, string>
}

/** Who may promote at a replica with these settings. */
export function operatorOf({ url }: { url: string }): Operator {
  return new Operator(new Ledger(url), ADMIN_TOKEN)
}

/** Starts a store of the test's own, which ends with it. */
export async function startBucket(t: Test): Promise<Bucket> {
  const minio = await startMinio()
  t.teardown(() => minio.stop())
  const client = s3Client(minio)
  t.teardown(() => client.destroy())
  return {
    minio,
    async put({ manifest, golden, model }) {
      const files = { 'model.json': manifest, 'golden.json': golden, 'model.onnx': model }
      for (const [file, Body] of Object.entries(files)) {
        await client.send(new PutObjectCommand({ Bucket: minio.bucket, Key: `${S3_PREFIX}/${file}`, Body }))
      }
    },
    env: (endpoint = minio.endpoint) => ({
      MODEL_SOURCE: 's3',
      S3_ENDPOINT: endpoint,
      S3_BUCKET: minio.bucket,
      S3_PREFIX,
      S3_ACCESS_KEY_ID: minio.accessKeyId,
      S3_SECRET_ACCESS_KEY: minio.secretAccessKey,
      ADMIN_TOKEN,
      ...PATIENT
    })
  }
}
