import { readFileSync } from 'node:fs'
import t from 'tap'
import { ERRORS } from '../../src/errors.js'
import { MALLOC } from '../../src/host/malloc.js'
import { createMetrics } from '../../src/metrics/metrics.js'

const rows = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .map(line => line.split('|').map(cell => cell.replaceAll('`', '').trim()))

t.test('docs/api.md lists every error code with its status and whether to retry', t => {
  const documented = rows('docs/api.md').map(([, code, status, retryable]) => [
    code,
    Number(status),
    retryable === 'yes'
  ])
  const real = Object.entries(ERRORS).map(([code, { status, retryable }]) => [code, status, retryable])
  t.same(documented.sort(), real.sort())
  t.end()
})

t.test('docs/metrics.md lists every metric with its type and labels', async t => {
  const gauges = {
    queued: () => 0,
    steps: () => 0,
    rate: () => 0,
    taken: () => 0,
    ready: () => true,
    model: () => undefined,
    shadow: () => undefined,
    stale: () => false,
    registryUp: () => true
  }
  const metrics = createMetrics(gauges)
  metrics.route('/predict').ended(200, 0.001)
  const real = (await metrics.registry.metrics())
    .split('\n')
    .flatMap(line => (/^# TYPE (gru_\S+) (\S+)$/.exec(line) ?? []).slice(1).join(' ') || [])
  const documented = rows('docs/metrics.md').map(([, name, type]) => `${name} ${type}`)
  t.same(documented.sort(), real.sort())
})

t.test('npm start and the image tell malloc what the measurements tell it', t => {
  const told = Object.entries(MALLOC).map(([name, value]) => `${name}=${value}`)
  for (const file of ['package.json', 'Dockerfile']) {
    t.same(readFileSync(file, 'utf8').match(/\bMALLOC_\w+=\w+/g), told, file)
  }
  t.end()
})
