import { type KafkaAccess, startKafka } from './servers/kafka.js'
import { type MlflowAccess, startMlflow } from './servers/mlflow.js'
import { startMinio } from './servers/minio.js'
import { PLACE, type S3Access } from './servers/s3.js'

export { type Kafka, type KafkaAccess, PROMOTIONS_TOPIC, startKafka } from './servers/kafka.js'
export { type Mlflow, type MlflowAccess, startMlflow } from './servers/mlflow.js'
export { type Minio, startMinio } from './servers/minio.js'
export { s3Client, type S3Access } from './servers/s3.js'

/** The three servers that a model passes through. */
export interface Stores {
  s3: S3Access
  kafka: KafkaAccess
  mlflow: MlflowAccess
  /** ends them, unless they were given */
  stop(): Promise<void>
}

/**
 * The servers that the environment names (test/servers/README.md), or else real ones of the caller's own. For tests of
 * what a model passes through; a test that breaks a server starts its own.
 */
export async function stores(environment: NodeJS.ProcessEnv = process.env): Promise<Stores> {
  const given = givenStores(environment)
  if (given !== undefined) return given
  const s3 = await startMinio()
  const started = await Promise.allSettled([startKafka(), startMlflow({ s3 })])
  const [kafka, mlflow] = started
  const stop = async () => {
    const running = started.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []))
    await Promise.all([s3, ...running].map(server => server.stop()))
  }
  if (kafka.status === 'fulfilled' && mlflow.status === 'fulfilled') {
    return { s3, kafka: kafka.value, mlflow: mlflow.value, stop }
  }
  await stop()
  throw started.find(one => one.status === 'rejected')!.reason
}

const NAMES = [
  'TEST_S3_ENDPOINT',
  'TEST_S3_ACCESS_KEY_ID',
  'TEST_S3_SECRET_ACCESS_KEY',
  'TEST_KAFKA_BROKERS',
  'TEST_MLFLOW_URL'
] as const

/** The servers named by the environment; undefined where it names none. Throws where it names only some. */
function givenStores(environment: NodeJS.ProcessEnv): Stores | undefined {
  const missing = NAMES.filter(name => !environment[name])
  if (missing.length === NAMES.length) return undefined
  if (missing.length > 0) throw new Error(`set ${missing.join(', ')} as well, or none of ${NAMES.join(', ')}`)
  const [endpoint, accessKeyId, secretAccessKey, brokers, url] = NAMES.map(name => environment[name]!) as [
    string,
    string,
    string,
    string,
    string
  ]
  const place = {
    region: environment.TEST_S3_REGION ?? PLACE.region,
    bucket: environment.TEST_S3_BUCKET ?? PLACE.bucket,
    prefix: environment.TEST_S3_PREFIX ?? PLACE.prefix
  }
  return {
    s3: { endpoint, accessKeyId, secretAccessKey, ...place },
    kafka: { brokers: brokers.split(',') },
    mlflow: { url },
    stop: () => Promise.resolve()
  }
}
