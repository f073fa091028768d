import t from 'tap'
import { rolloutOf } from '../../support/pool.js'

t.test('before a model serves, each of its workers has run every batch size in use, at exactly that size', async t => {
  for (const options of [
    {},
    { workers: 3, batchCap: 4 },
    { workers: 2, batchCap: 6, queueRows: 6 },
    { batchCap: 5, queueRows: 7 }
  ]) {
    const { rollout, seen } = rolloutOf('models/gru', options)
    const { pool } = await rollout.run()
    const { workers, batchCap } = pool.options
    for (let size = 1; size <= batchCap; size++) {
      const times = seen.batches.filter(rows => rows === size).length
      t.ok(times >= workers && times % workers === 0, `${times} batches of ${size} in ${workers} workers`)
    }
    t.equal(Math.max(...seen.batches), batchCap)
    t.equal(pool.taken, 0, 'no place is left taken')
    await rollout.close()
  }
})
