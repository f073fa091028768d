import type { KafkaAccess, MlflowAccess, S3Access } from './stores.js'

/** Of the operator of such a replica. */
export const TOKEN = 'token-of-a-following-replica'

/** Where a replica looks for what is promoted. */
export interface Followed {
  /** left out where MLflow hands the files out */
  s3?: S3Access
  mlflow: MlflowAccess
  kafka?: KafkaAccess
  name: string
}

/** The settings of a replica that follows the alias of a registered model. */
export function followingEnv({ s3, mlflow, kafka, name }: Followed): Record<string, string> {
  return {
    MODEL_SOURCE: 'mlflow',
    MLFLOW_TRACKING_URI: mlflow.url,
    MODEL_NAME: name,
    ...(s3 && {
      S3_ENDPOINT: s3.endpoint,
      S3_BUCKET: s3.bucket,
      S3_PREFIX: s3.prefix,
      S3_ACCESS_KEY_ID: s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.secretAccessKey
    }),
    ADMIN_TOKEN: TOKEN,
    ...(kafka && { KAFKA_BROKERS: kafka.brokers.join(',') })
  }
}

export interface ModelState {
  ready: boolean
  model: { version: string; sha256: string } | null
  last_promotion: { outcome: string; reason?: string; message?: string; version?: string } | null
  promotion: { stale: boolean; registry_up: boolean; promoted_version: string | null; held_off: string | null }
}
