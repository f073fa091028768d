import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { follow } from '../../support/following.js'
import { registered, withModel } from '../../support/registered.js'
import { startMinio, startMlflow } from '../../support/stores.js'
import { GENTLE, underLoad } from '../../support/under-load.js'

const SECRET = 'secret-of-somebody'

const minio = await startMinio()
t.teardown(() => minio.stop())
const mlflow = await startMlflow({ s3: minio })
t.teardown(() => mlflow.stop())
const live = { 1: withModel() }

/** Addresses of artifacts, as whoever can write to the registry may state them. */
const addresses = (origin: string) => [
  `s3://${minio.bucket}/${minio.prefix}/../secret`,
  `s3://${minio.bucket}/${minio.prefix}/%2e%2e%2fsecret`,
  `s3://${minio.bucket}/${minio.prefix}/a\u0000b`,
  `s3://${minio.bucket}/${minio.prefix}/a\nlevel=60`,
  `s3://${minio.bucket}/${minio.prefix}x/a`,
  `s3://other/${minio.prefix}/a`,
  `s3://user:${SECRET}@${minio.bucket}/${minio.prefix}/a`,
  `${origin}/a`,
  `http://user:${SECRET}@127.0.0.1/a`,
  'file:///etc/passwd',
  '/etc/passwd',
  'mlflow-artifacts:/1/../secret',
  'mlflow-artifacts:/1/%2e%2e%2fsecret',
  'mlflow-artifacts:/1/a\u0000b',
  'mlflow-artifacts:/1/a\nlevel=60',
  'mlflow-artifacts:/1//a',
  'mlflow-artifacts:/1/.a',
  'mlflow-artifacts:/1/a?x=1',
  'mlflow-artifacts:/1/a#x',
  'mlflow-artifacts:/',
  'mlflow-artifacts:',
  'mlflow-artifacts:1/a',
  'mlflow-artifacts:\\\\1\\a',
  `mlflow-artifacts://${new URL(origin).hostname}:1/1/a`,
  `mlflow-artifacts://${new URL(origin).hostname}/1/a`,
  'mlflow-artifacts://example.com/1/a',
  `mlflow-artifacts://user:${SECRET}@${new URL(origin).host}/1/a`,
  `mlflow-artifacts:/${'x'.repeat(1_000_000)}`,
  `MLFLOW-ARTIFACTS:/1/a`,
  'runs:/0/model',
  `s3://${minio.bucket}/${'x'.repeat(1_000_000)}`,
  '',
  null,
  { s3: 'x' }
]

t.test('an address that leads elsewhere is refused, asked nothing, and not repeated in the log', async t => {
  let asked = 0
  const answer = { version: '2', address: '' as unknown, honest: true }
  // In the place of an MLflow whose database somebody has written to: the real one lets few of these in.
  const fake = createServer(async ({ url = '', headers }, response) => {
    if (!url.startsWith('/api/2.0/mlflow/')) asked++
    const json = async () => {
      if (answer.honest) return (await fetch(`${mlflow.url}${url}`)).text()
      if (url.includes('get-download-uri')) return JSON.stringify({ artifact_uri: answer.address })
      return JSON.stringify({
        model_version: {
          name: new URL(url, `http://${headers.host}`).searchParams.get('name'),
          version: answer.version
        }
      })
    }
    response.setHeader('content-type', 'application/json').end(await json())
  }).listen(0, '127.0.0.1')
  await once(fake, 'listening')
  t.teardown(() => fake.close())
  const origin = `http://127.0.0.1:${(fake.address() as AddressInfo).port}`

  const model = await registered(t, minio, mlflow)
  await model.promote(await model.add(live[1].files))
  const { service, state, admin, serves } = await follow(t, { s3: minio, mlflow: { url: origin }, name: model.name })
  await serves('1')
  await underLoad(t, service, { ...GENTLE, versions: live }, async () => {
    answer.honest = false
    for (const address of addresses(origin)) {
      answer.address = address
      const what = (JSON.stringify(address) ?? '').slice(0, 60)
      t.match(await admin('reload'), { status: 422, json: { error: { message: /^bad_pointer: / } } }, what)
      t.match(await state(), { model: { version: '1' }, last_promotion: { reason: 'bad_pointer' } })
    }
    answer.address = `s3://${minio.bucket}/${minio.prefix}/a`
    for (const version of ['../1', '1; x', '01', '-1', '1e3', '9'.repeat(1000), 'a\nb']) {
      answer.version = version
      t.match(
        await admin('reload'),
        { json: { error: { message: /^bad_pointer: / } } },
        JSON.stringify(version).slice(0, 60)
      )
    }
  })
  t.equal(asked, 0, 'no address was followed')
  t.ok(
    service.lines.every(line => line.length < 2000 && !line.includes(SECRET)),
    'no address is logged'
  )
  t.ok(
    service.lines.every(line => line.startsWith('{')),
    'each line of the log is one record'
  )
  t.equal(await service.stop(), 0)
})
