import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { eventually } from '../../support/eventually.js'
import { openRaw, rawRequest } from '../../support/raw-socket.js'
import { grown, scrape } from '../../support/scrape.js'
import { SLOW } from '../../support/slow-model.js'
import { v2Inputs } from '../../support/v2.js'
import { ask, inferJson, MODEL, PATIENT, started } from '../../support/v2-service.js'

const bundle = gru()

/** The request of a window whose run lasts about `work` ms. */
const slow = (work: number, parameters = {}) => ({
  parameters,
  inputs: [{ name: 'window', datatype: 'FP32', shape: [1, 2, 2], data: [10, 0, 20, work] }]
})
const SLOW_MODEL = '/v2/models/slow'

t.test('a timeout in microseconds bounds the wait, and a full queue refuses', async t => {
  const env = { ...SLOW, BATCH_CAP: '1', QUEUE_ROWS: '2', DEADLINE_MS: '600000' }
  const service = await started(t, { env })
  // The second step would begin after the first one's half of a second.
  const late = await inferJson(service, SLOW_MODEL, slow(500, { inference_length: 2, timeout: 200_000 }))
  t.match(late, { status: 504, answer: { error: /^deadline_exceeded: / } })
  const served = [800, 0].map(work => inferJson(service, SLOW_MODEL, slow(work)))
  await eventually('2 are taken', async () => (await scrape(service.url)).get('gru_requests_in_flight') === 2)
  const { status, headers, answer } = await inferJson(service, SLOW_MODEL, slow(0))
  t.equal(status, 429)
  t.equal(headers.get('retry-after'), '1')
  t.match(answer.error, /^queue_full: /)
  // The forecast is the mean of the two levels plus 1.
  for (const { answer } of await Promise.all(served)) t.same(answer.outputs[0]!.data, [16, 0])
})

t.test('a caller who hangs up frees the slots of all its windows', async t => {
  const service = await started(t, { env: { ...SLOW, BATCH_CAP: '1', QUEUE_ROWS: '40', DEADLINE_MS: '600000' } })
  const inFlight = async () => (await scrape(service.url)).get('gru_requests_in_flight')
  const before = await scrape(service.url)
  const [input] = slow(300).inputs
  const ten = { inputs: [{ ...input, shape: [10, 2, 2], data: Array.from({ length: 10 }, () => input!.data).flat() }] }
  const { socket } = await openRaw(service.port)
  socket.write(rawRequest(JSON.stringify(ten), {}, `${SLOW_MODEL}/infer`))
  await eventually('all are taken', async () => (await inFlight()) === 10)
  socket.resetAndDestroy()
  await eventually('all are free', async () => (await inFlight()) === 0)
  t.ok(grown('gru_rows_executed_total', before, await scrape(service.url)) <= 3, 'what ran had begun')
})

t.test('the statistics move by what all routes have answered', async t => {
  const service = await started(t, { env: PATIENT })
  const stats = async () => {
    const { json } = await ask(service, `${MODEL}/stats`)
    return (
      json() as {
        model_stats: [Record<string, number> & { inference_stats: Record<string, { count: number; ns: number }> }]
      }
    ).model_stats[0]
  }
  const before = await stats()
  t.match(
    before,
    { inference_count: 0, execution_count: 0, last_inference: 0, batch_stats: [] },
    'verifying counts not'
  )
  const headers = { 'content-type': 'application/json' }
  const windows = [0, 1, 2].map(index => bodyOf(bundle, index, 2))
  await ask(service, '/predict', { method: 'POST', headers, body: JSON.stringify(windows[0]) })
  await ask(service, '/predict/batch', { method: 'POST', headers, body: JSON.stringify(windows) })
  await inferJson(service, MODEL, { inputs: v2Inputs(bundle, [0, 1, 2, 3, 4]) })
  await inferJson(service, MODEL, {
    inputs: [{ ...v2Inputs(bundle, [0])[0]!, data: Array.from({ length: 110 }, () => -1) }]
  })
  const after = await stats()
  const { success, fail, queue, compute_infer: infer } = after.inference_stats
  t.equal(after.inference_count, 2 + 3 * 2 + 5)
  t.same([success!.count, fail!.count, queue!.count, infer!.count], [3, 1, 3, 3])
  t.ok(success!.ns > infer!.ns && infer!.ns > 0, 'the runs are a part of the whole')
  const batches = after.batch_stats as unknown as { batch_size: number; compute_infer: { count: number } }[]
  const sum = (of: (batch: (typeof batches)[number]) => number) =>
    batches.reduce((total, batch) => total + of(batch), 0)
  t.equal(
    sum(({ batch_size, compute_infer }) => batch_size * compute_infer.count),
    after.inference_count
  )
  t.equal(
    sum(({ compute_infer }) => compute_infer.count),
    after.execution_count
  )
  t.same((await ask(service, '/v2/models/stats')).json(), { model_stats: [after] })
})
