import { readFileSync } from 'node:fs'
import t from 'tap'
import { documentedSettings, SETTINGS_FILE, settingsTable } from '../../../scripts/settings-table.js'
import { ConfigError, ConfigSchema, loadConfig } from '../../../src/settings/config.js'

t.test('The documented settings are the schema that reads them (npx tsx scripts/settings-table.ts mends it)', t => {
  t.equal(documentedSettings(readFileSync(SETTINGS_FILE, 'utf8')), settingsTable())
  t.end()
})

t.test('without any variable every setting has its default', t => {
  const standards = Object.entries(ConfigSchema.properties).map(([name, setting]) => [name, setting.default])
  t.same(loadConfig({}), { ...Object.fromEntries(standards), POLL_INTERVAL_MS: 0 })
  t.end()
})

t.test('a registry is looked at every half minute unless told otherwise, a folder only when told', t => {
  const mlflow = { MODEL_SOURCE: 'mlflow', MLFLOW_TRACKING_URI: 'http://127.0.0.1:1', MODEL_NAME: 'm' }
  const store = { S3_BUCKET: 'models', S3_PREFIX: 'm', S3_ACCESS_KEY_ID: 'k', S3_SECRET_ACCESS_KEY: 's' }
  const pollMs = (environment: Record<string, string>) => loadConfig(environment).POLL_INTERVAL_MS
  t.equal(pollMs({ ...mlflow, ...store }), 30_000)
  t.equal(pollMs({ ...mlflow, ...store, POLL_INTERVAL_MS: '0' }), 0)
  t.equal(pollMs({}), 0)
  t.equal(pollMs({ POLL_INTERVAL_MS: '5000' }), 5000)
  t.end()
})

t.test('MLflow can do without a bucket, but not with half of one', t => {
  const mlflow = { MODEL_SOURCE: 'mlflow', MLFLOW_TRACKING_URI: 'http://127.0.0.1:1', MODEL_NAME: 'm' }
  const store = { S3_BUCKET: 'models', S3_PREFIX: 'm', S3_ACCESS_KEY_ID: 'k', S3_SECRET_ACCESS_KEY: 's' }
  t.equal(loadConfig(mlflow).S3_BUCKET, '')
  t.equal(loadConfig({ ...mlflow, ...store, S3_ENDPOINT: 'http://127.0.0.1:1' }).S3_BUCKET, 'models')
  for (const left of Object.keys(store)) {
    const half = { ...mlflow, ...store, [left]: '' }
    t.throws(() => loadConfig(half), { name: 'ConfigError', message: new RegExp(`^${left} must be set because S3_`) })
  }
  for (const [name, value] of [
    ['S3_ENDPOINT', 'http://127.0.0.1:1'],
    ['S3_REGION', 'eu-west-1']
  ] as const) {
    t.throws(() => loadConfig({ ...mlflow, [name]: value }), {
      message: `S3_BUCKET must be set because ${name} is set`
    })
  }
  t.throws(() => loadConfig({ MODEL_SOURCE: 's3' }), { message: 'S3_BUCKET must be set for MODEL_SOURCE=s3' })
  t.end()
})

t.test('variables become numbers and flags, and others are ignored', t => {
  const config = loadConfig({ PORT: '9000', LOG_REQUESTS: 'true', HOST: '0.0.0.0', PATH: '/bin', QUEUE_ROWS: '16' })
  t.match(config, { PORT: 9000, LOG_REQUESTS: true, HOST: '0.0.0.0', QUEUE_ROWS: 16 })
  t.notOk('PATH' in config)
  t.end()
})

t.test('a number that is not written as one is refused', t => {
  for (const text of ['', ' 9000', '9000 ', '9e3', '0x10', '9000.0', '+9000', 'NaN', '٩٠٠٠', '99999999999999999999']) {
    t.throws(
      () => loadConfig({ PORT: text }),
      new ConfigError('PORT must be a whole number from 0 to 65535'),
      JSON.stringify(text)
    )
  }
  t.end()
})

t.test('settings that cannot stand together are refused, and the one to change is named', t => {
  t.throws(() => loadConfig({ DRAIN_DELAY_MS: '500', GRACE_MS: '500' }), { message: /^DRAIN_DELAY_MS / })
  t.throws(() => loadConfig({ QUEUE_ROWS: '8', BATCH_CAP: '9' }), { message: /^BATCH_CAP / })
  t.throws(() => loadConfig({ GRPC_PORT: '8080' }), new ConfigError('GRPC_PORT must not be PORT'))
  const admin = { GRPC_PORT: '9100', ADMIN_PORT: '9100' }
  t.throws(() => loadConfig(admin), new ConfigError('GRPC_PORT must not be ADMIN_PORT'))
  t.match(loadConfig({ GRPC_PORT: '0', ADMIN_PORT: '0', PORT: '0' }), { GRPC_PORT: 0 })
  t.end()
})
