import { PutObjectCommand } from '@aws-sdk/client-s3'
import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { askMlflow } from './registry.js'
import { s3Client, startMinio, startMlflow } from './stores.js'

const FILES = ['golden.json', 'model.onnx', 'model.json']

/** A registered model in a MinIO and an MLflow of the caller's own; version n is the nth of `folders`. */
export async function registered(t: Test, name: string, folders: readonly string[]) {
  const minio = await startMinio()
  t.teardown(() => minio.stop())
  const mlflow = await startMlflow({ s3: minio })
  t.teardown(() => mlflow.stop())
  const client = s3Client(minio)
  await askMlflow(mlflow, 'registered-models/create', { name })
  for (const [index, folder] of folders.entries()) {
    const place = `${minio.prefix}/${name}-${index + 1}`
    for (const file of FILES) {
      const Body = readFileSync(`${folder}/${file}`)
      await client.send(new PutObjectCommand({ Bucket: minio.bucket, Key: `${place}/${file}`, Body }))
    }
    await askMlflow(mlflow, 'model-versions/create', { name, source: `s3://${minio.bucket}/${place}` })
  }
  client.destroy()
  return {
    mlflow,
    /** settings of a service that takes its model from there */
    env: {
      MODEL_SOURCE: 'mlflow',
      MLFLOW_TRACKING_URI: mlflow.url,
      MODEL_NAME: name,
      S3_ENDPOINT: minio.endpoint,
      S3_BUCKET: minio.bucket,
      S3_PREFIX: minio.prefix,
      S3_ACCESS_KEY_ID: minio.accessKeyId,
      S3_SECRET_ACCESS_KEY: minio.secretAccessKey
    },
    /** lets an alias name a version, or none */
    async alias(alias: string, version?: string): Promise<void> {
      const route = `${mlflow.url}/api/2.0/mlflow/registered-models/alias`
      const method = version === undefined ? 'DELETE' : 'POST'
      const body = JSON.stringify({ name, alias, version })
      const { status } = await fetch(route, { method, headers: { 'content-type': 'application/json' }, body })
      if (status !== 200) throw new Error(`MLflow answered ${status} for the alias ${alias}`)
    }
  }
}
