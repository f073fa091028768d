import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import t from 'tap'
import { LSTM, promoted, refused, versionWith } from '../../support/promotion.js'
import { askMlflow, newName, register, scored } from '../../support/registry.js'
import { s3Client, stores } from '../../support/stores.js'

const given = await stores()
t.teardown(() => given.stop())

t.test('a version that is missing, or whose files are not what was registered, is not promoted', async t => {
  const name = newName()
  const first = await register(given, scored(t, 0.2), name)
  await promoted(given, name, '1')
  await refused(t, given, { name, args: ['7'], code: 2, line: /^error: model .*Model Version \(name=.*, version=7\) not found$/m })
  await refused(t, given, { name, args: ['one'], code: 2, line: /^error: model / })

  const nowhere = `s3://${given.s3.bucket}/${given.s3.prefix}/nowhere`
  await versionWith(given, name, { sha256: LSTM }, nowhere)
  await refused(t, given, { name, args: ['2'], code: 2, line: /^error: version 2 of .* cannot be read from s3:\/\/.*\/nowhere: / })
  await versionWith(given, name, { sha256: LSTM }, `runs:/${String(first.run_id)}/model`)
  await refused(t, given, { name, args: ['3'], code: 2, line: /^error: version 3 of .* points at runs:\/.*, which is neither in an S3 bucket nor / })
  await versionWith(given, name, {}, nowhere)
  await refused(t, given, { name, args: ['4'], code: 2, line: /^error: version 4 of .* has no tag sha256: / })

  const { run_id: last } = await register(given, scored(t, 0.1), name)
  const found = await askMlflow<{ run: { info: { artifact_uri: string } } }>(given.mlflow, `runs/get?run_id=${String(last)}`)
  const Key = `${new URL(found.run.info.artifact_uri).pathname.slice(1)}/model/model.onnx`
  const client = s3Client(given.s3)
  t.teardown(() => client.destroy())
  await client.send(new PutObjectCommand({ Bucket: given.s3.bucket, Key, Body: 'other bytes' }))
  await refused(t, given, { name, args: ['5'], code: 2, line: /^error: .*model\.json: sha256 is .*, that of model\.onnx / })
  await client.send(new DeleteObjectCommand({ Bucket: given.s3.bucket, Key }))
  await refused(t, given, { name, args: ['5', '--force'], code: 2, line: /^error: version 5 of .* cannot be read from s3:/ })
})
