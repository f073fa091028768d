import t from 'tap'
import { loadConfig } from '../../../src/config.js'
import { sourceOf } from '../../../src/model/store/source.js'
import { startBucket } from '../../support/bucket.js'
import { refusedAs } from '../../support/refused.js'
import { changedBundle } from '../../support/wrong-bundles.js'

const never = new AbortController().signal

t.test(
  'a bundle that is replaced between the question and the fetch is not taken for the one that was named',
  async t => {
    const bucket = await startBucket(t)
    const source = sourceOf(loadConfig(bucket.env()))
    await bucket.put(changedBundle({ version: '1' }))
    const pointer = await source.resolve(never)
    await bucket.put(changedBundle({ version: '2' }))
    await t.rejects(source.fetch(pointer, t.testdir(), never), refusedAs('superseded'))
    const now = await source.resolve(never)
    t.match(now, { version: '2' })
    await t.resolves(source.fetch(now, t.testdir(), never))
  }
)
