/**
 * Runs MinIO, Kafka and MLflow until SIGTERM or SIGINT. Prints their addresses as lines `NAME=value`, and an empty line
 * when all are ready.
 */
import { type Server } from '../support/servers/server.js'
import { s3Environment } from '../support/servers/s3.js'
import { type Kafka, type Minio, type Mlflow, startKafka, startMinio, startMlflow } from '../support/stores.js'

/** Under which `register` makes versions of the committed bundle. */
const MODEL_NAME = 'gru-traffic'

const running: Partial<Record<string, Server>> = {}
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    void Promise.all(Object.values(running).map(server => server!.stop())).then(() => process.exit(0))
  })
}

const s3 = await startMinio()
running.s3 = s3
const [kafka, mlflow] = await Promise.all([startKafka(), startMlflow({ s3 })])
Object.assign(running, { kafka, mlflow })
console.log(addresses(s3, kafka, mlflow))

/** For register, promote and the service, and for tests that are to use these servers. */
function addresses(s3: Minio, kafka: Kafka, mlflow: Mlflow): string {
  const variables = {
    ...s3Environment(s3),
    MLFLOW_TRACKING_URI: mlflow.url,
    KAFKA_BROKERS: kafka.brokers.join(','),
    MODEL_SOURCE: 'mlflow',
    MODEL_NAME,
    S3_ENDPOINT: s3.endpoint,
    S3_BUCKET: s3.bucket,
    S3_PREFIX: s3.prefix,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    TEST_S3_ENDPOINT: s3.endpoint,
    TEST_S3_ACCESS_KEY_ID: s3.accessKeyId,
    TEST_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    TEST_S3_BUCKET: s3.bucket,
    TEST_S3_PREFIX: s3.prefix,
    TEST_KAFKA_BROKERS: kafka.brokers.join(','),
    TEST_MLFLOW_URL: mlflow.url
  }
  return `${Object.entries(variables)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`
}
