import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { between, parseMetrics, scrape } from '../../../../src/bench/watch/scrape.js'

/** As Prometheus' documentation of the text format has it, with what prom-client writes. */
const TEXT = `# HELP gru_batch_rows rows of a batch
# TYPE gru_batch_rows histogram
gru_batch_rows_bucket{le="1"} 10
gru_batch_rows_bucket{le="2"} 15
gru_batch_rows_bucket{le="16"} 40
gru_batch_rows_bucket{le="+Inf"} 42
gru_batch_rows_sum 333
gru_batch_rows_count 42
gru_queue_wait_seconds_bucket{le="0.001"} 0
gru_queue_wait_seconds_bucket{le="+Inf"} 7
gru_queue_wait_seconds_sum 0.5
gru_request_duration_seconds_count{route="/predict",status="200"} 100
gru_request_duration_seconds_count{route="/predict",status="429"} 9
gru_request_duration_seconds_count{route="/predict/batch",status="200"} 20
gru_request_duration_seconds_count{route="/v2/models/:model/infer",status="200"} 3
gru_request_duration_seconds_count{route="/v2/models/:model/versions/:version/infer",status="200"} 1
gru_request_duration_seconds_count{route="/v2/models/:model/infer",status="400"} 2
gru_request_duration_seconds_count{route="/v2/models/:model/ready",status="200"} 7
gru_request_duration_seconds_count{route="/model",status="200"} 5
nodejs_eventloop_lag_p99_seconds 0.0125
gru_model_info{name="a \\"quoted\\" name, with }",version="1",run_id="r",digest="d1"} 1
`

const served = async (text: string, status = 200) => {
  const server = createServer((_request, response) => response.writeHead(status).end(text)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`
}

t.test('what a replica counts is read: 2xx answers with forecasts, buckets not cumulated', async t => {
  t.same(await scrape(await served(TEXT)), {
    // 100 of /predict, 20 of /predict/batch, 4 of V2
    ok: 124,
    batchRows: { bounds: [1, 2, 16], counts: [10, 5, 25, 2], sum: 333 },
    queueWaitSeconds: { bounds: [0.001], counts: [0, 7], sum: 0.5 },
    eventLoopP99Ms: 12.5,
    digest: 'd1'
  })
  t.equal(parseMetrics(TEXT).at(-1)?.labels.version, '1')
})

t.test('between two scrapes lies what was counted in between', async t => {
  const later = TEXT.replace('status="200"} 100', 'status="200"} 250')
    .replace('le="2"} 15', 'le="2"} 18')
    .replace('le="16"} 40', 'le="16"} 43')
    .replace('le="+Inf"} 42', 'le="+Inf"} 45')
    .replace('sum 333', 'sum 339')
  const [before, after] = [await scrape(await served(TEXT)), await scrape(await served(later))]
  t.match(between(before, after), {
    ok: 150,
    batchRows: { counts: [0, 3, 0, 0], sum: 6 },
    queueWaitSeconds: { sum: 0 }
  })
})

t.test('a server without metrics is named', async t => {
  const url = await served('gone', 404)
  await t.rejects(scrape(url), { code: 'target_down', message: `no metrics from ${url}: status 404` })
  await t.rejects(scrape('http://127.0.0.1:1/metrics'), {
    code: 'target_down',
    message: /127\.0\.0\.1:1.*(ECONNREFUSED|bad port)/
  })
})
