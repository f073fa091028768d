import t from 'tap'
import { keyOfAddress } from '../../../src/model/promotion/pointer.js'
import { ModelRefused } from '../../../src/errors.js'

const ALLOWED = { bucket: 'models', prefix: 'mlflow' }

t.test('an address in our bucket and prefix is followed', async t => {
  t.equal(keyOfAddress('s3://models/mlflow/1/abc/artifacts/model', ALLOWED), 'mlflow/1/abc/artifacts/model')
  t.equal(keyOfAddress('s3://models/mlflow/1/models/m-0f/artifacts/', ALLOWED), 'mlflow/1/models/m-0f/artifacts')
})

t.test('every other address is refused, and the refusal does not repeat it', async t => {
  const hostile = [
    's3://other/mlflow/1',
    's3://models/elsewhere/1',
    's3://models/mlflowed/1',
    's3://models/mlflow/../secret',
    's3://models/mlflow/%2e%2e%2fsecret',
    's3://models/mlflow/a%2fb',
    's3://models/mlflow/a\0b',
    's3://models/mlflow/a\nb',
    's3://models/mlflow//a',
    's3://user:secret@models/mlflow/a',
    's3://models/mlflow/a?versionId=1',
    'file:///etc/passwd',
    'http://169.254.169.254/mlflow',
    'runs:/0123/model',
    `s3://models/mlflow/${'a'.repeat(1_000_000)}`,
    '',
    null,
    7
  ]
  for (const address of hostile) {
    try {
      keyOfAddress(address, ALLOWED)
      t.fail(`taken: ${String(address).slice(0, 40)}`)
    } catch (error) {
      t.ok(error instanceof ModelRefused && error.reason === 'bad_pointer', String(address).slice(0, 40))
      t.notMatch((error as Error).message, /secret|passwd|169|aaaa/)
    }
  }
})
