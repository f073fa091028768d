import t from 'tap'
import { resultsCsv } from '../../../../src/bench/report/csv.js'
import { benchCell } from '../../../support/bench-cells.js'

/** Lines of a CSV without quoted fields, by column. */
function records(csv: string): Record<string, string>[] {
  const [head, ...lines] = csv.trimEnd().split('\r\n')
  const names = head!.split(',')
  return lines.map(line => Object.fromEntries(line.split(',').map((field, index) => [names[index]!, field])))
}

t.test('every cell is a line with its figures, repeats apart', t => {
  const cells = [1, 2].map(repeat => benchCell({ plan: { repeat }, lost: 250 }))
  const lines = records(resultsCsv(cells))
  t.equal(lines.length, 2)
  t.match(lines[1], { phase: '1', replicas: '2', users: '100', workers: '4', repeat: '2', good: '1000', rps: '100' })
  t.match(lines[0], { lost: '250', failures_percent: '20', limiter: 'host CPU', failed_checks: '' })
  // 12 CPU seconds for 1000 answers, 175 rows in 100 batches, 0.5 s of waiting by 100 rows
  t.match(lines[0], { cpu_us_per_answer: '12000', batch_rows_mean: '1.75', queue_wait_ms_mean: '5' })
  t.match(lines[0], { cpu_replicas_cores: '1', cpu_haproxy_cores: '0.2', cpu_generator_cores: '0.5' })
  t.end()
})

t.test('a call with many windows has its windows and its forecasts a second', t => {
  const cells = [benchCell(), benchCell({ windows: 16, failedWindows: { out_of_range: 10 } })]
  t.match(records(resultsCsv(cells)), [
    { rps: '100', windows_per_call: '1', forecasts_per_second: '100' },
    { rps: '100', windows_per_call: '16', forecasts_per_second: '1599' }
  ])
  t.end()
})

t.test('a figure that there is not is empty, never 0 or null', t => {
  const [line] = records(resultsCsv([{ ...benchCell({ latenciesMs: [100] }), haproxy: null, replicas: [] }]))
  t.match(line, { p95_ms: '', p99_ms: '', cpu_us_per_answer: '', cpu_replicas_cores: '', retries: '' })
  t.end()
})

t.test('a text that a spreadsheet would take for a formula is none', t => {
  for (const name of ['=1+1', '+1', '-1', '@a']) {
    const csv = resultsCsv([benchCell({ checks: [{ name, ok: false, detail: '' }] })])
    t.match(csv, `,'${name}\r\n`)
  }
  t.end()
})

t.test('the checks that failed are named', t => {
  const checks = ['steady', 'little', 'samples'].map(name => ({ name, ok: name === 'little', detail: 'a, "b"' }))
  t.match(records(resultsCsv([benchCell({ checks })])), [{ failed_checks: 'steady samples' }])
  t.end()
})
