import t from 'tap'
import { Throughput } from '../../../../../src/model/inference/backlog/throughput.js'

const BATCH = 16
const LOOK_MS = 50

/** A throughput that has seen batches of 16 rows in 1 ms, and a hand that lets intervals pass. */
function measured() {
  const throughput = new Throughput(BATCH, 0)
  throughput.ran(BATCH, 1, 1)
  let now = 0
  return {
    throughput,
    /** so many rows a millisecond come back while so many wait, for some intervals */
    pass(rowsPerMs: number, waiting: number, intervals: number, lookMs = LOOK_MS) {
      for (let at = 0; at < intervals; at++) {
        for (let row = 0; row < rowsPerMs * lookMs; row++) throughput.delivered(waiting)
        throughput.look((now += lookMs), waiting)
      }
    }
  }
}

t.test('before the first batch nobody waits behind anything', t => {
  t.equal(new Throughput(BATCH, 0).rowsPerMs, Infinity)
  t.end()
})

t.test('the first batch is the first estimate, for all workers together', t => {
  const throughput = new Throughput(BATCH, 0)
  throughput.ran(8, 2, 3)
  t.equal(throughput.rowsPerMs, 12)
  throughput.ran(8, 0, 3)
  t.equal(throughput.rowsPerMs, 12, 'a run that the clock took for no time says nothing')
  t.end()
})

t.test('under a load that never lets up the estimate is what comes back', t => {
  const { throughput, pass } = measured()
  pass(4, 100, 60)
  t.ok(Math.abs(throughput.rowsPerMs - 4) < 0.01, `${throughput.rowsPerMs}`)
  pass(10, 100, 60)
  t.ok(Math.abs(throughput.rowsPerMs - 10) < 0.01, `${throughput.rowsPerMs}`)
  t.end()
})

t.test('a light load says nothing against the rate: few rows come back because few were asked for', t => {
  const { throughput, pass } = measured()
  pass(0.2, 1, 60)
  t.equal(throughput.rowsPerMs, 16)
  t.end()
})

t.test('a process that stood still does not take itself for slow', t => {
  const { throughput, pass } = measured()
  pass(8, 100, 60)
  pass(0, 100, 1, 60_000)
  t.ok(throughput.rowsPerMs > 4, `${throughput.rowsPerMs}: a minute counts for no more than two looks`)
  t.end()
})

t.test('a batch that takes longer than many looks is no slower between them', t => {
  const batchMs = 1000
  const throughput = new Throughput(1, 0)
  throughput.ran(1, batchMs, 1)
  for (let now = LOOK_MS; now <= 10 * batchMs; now += LOOK_MS) {
    if (now % batchMs === 0) throughput.delivered(7)
    throughput.look(now, 7)
    t.ok(Math.abs(throughput.rowsPerMs * batchMs - 1) < 0.1, `${throughput.rowsPerMs} at ${now} ms`)
  }
  t.end()
})

t.test('batches that stop coming back are a lower rate, the longer the lower', t => {
  const { throughput, pass } = measured()
  pass(8, 100, 1)
  pass(0, 100, 20)
  t.equal(throughput.rowsPerMs, BATCH / (20 * LOOK_MS))
  t.end()
})

t.test('a slow stretch is forgotten as soon as the rows run out, so that nobody is refused for ever', t => {
  const { throughput, pass } = measured()
  pass(0, 100, 200)
  t.ok(throughput.rowsPerMs < 0.01, 'nothing comes back')
  pass(0, 0, 6)
  t.ok(throughput.rowsPerMs > 15, `${throughput.rowsPerMs}`)
  t.end()
})
