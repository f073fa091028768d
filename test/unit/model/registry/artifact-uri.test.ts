import t from 'tap'
import { addressOf, keyOfAddress, placeOf } from '../../../../src/model/registry/artifact-uri.js'
import { ModelRefused } from '../../../../src/errors.js'
import { refusedAs } from '../../../support/refused.js'

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

const REGISTRY = { trackingUri: 'http://mlflow:5000/prefix', store: undefined }

t.test('an address of artifacts behind the tracking server itself is followed', async t => {
  const path = '1/0f/artifacts/model'
  for (const host of ['', '//', '//mlflow:5000', '//MLFLOW:5000']) {
    t.same(placeOf(`mlflow-artifacts:${host}/${path}`, REGISTRY), { kind: 'artifacts', path }, host)
  }
  const plain = { trackingUri: 'https://mlflow', store: ALLOWED }
  t.same(placeOf(`mlflow-artifacts://mlflow:443/${path}`, plain), { kind: 'artifacts', path }, 'the port of the scheme')
  t.equal(addressOf(placeOf(`mlflow-artifacts://mlflow/${path}/`, plain)), `mlflow-artifacts:/${path}`)
  t.equal(addressOf(placeOf('s3://models/mlflow/1', plain)), 's3://models/mlflow/1')
})

t.test('one that leads to another server or out of its folder is refused, and S3 without settings for it', async t => {
  const hosts = [
    'mlflow',
    'mlflow:80',
    'other:5000',
    '127.0.0.1:5000',
    'mlflow:5000:5000',
    '[::1',
    ':5000',
    '[mlflow]:5000'
  ]
  const paths = [
    '',
    '/',
    '/..',
    '/a/..',
    '/a/%2e%2e',
    '/a%2fb',
    '/a//b',
    '/a\0',
    '/a\n',
    '/a?b',
    '/a#b',
    '/.a',
    '/a;b',
    '/ä',
    'a'
  ]
  const addresses = [
    ...hosts.map(host => `mlflow-artifacts://${host}/a`),
    ...paths.map(path => `mlflow-artifacts:${path}`)
  ]
  for (const address of [
    ...addresses,
    `mlflow-artifacts://u:p@mlflow:5000/a`,
    ' mlflow-artifacts:/a',
    's3://models/mlflow/a'
  ]) {
    t.throws(() => placeOf(address, REGISTRY), refusedAs('bad_pointer'), address)
  }
  t.throws(() => placeOf('s3://models/mlflow/a', REGISTRY), { message: /S3_BUCKET/ }, 'the variable is named')
  t.throws(() => placeOf('s3://other/a', { ...REGISTRY, store: ALLOWED }), { message: /S3_BUCKET/ })
})
