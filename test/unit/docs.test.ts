import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { ERRORS } from '../../src/errors.js'
import { MALLOC } from '../../src/host/malloc.js'
import { createMetrics } from '../../src/metrics/metrics.js'
import { STEPS } from '../../src/model/promotion/steps.js'

const rows = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .map(line => line.split('|').map(cell => cell.replaceAll('`', '').trim()))

t.test('docs/reference/api.md lists every error code with its status and whether to retry', t => {
  const documented = rows('docs/reference/api.md').map(([, code, status, retryable]) => [
    code,
    Number(status),
    retryable === 'yes'
  ])
  const real = Object.entries(ERRORS).map(([code, { status, retryable }]) => [code, status, retryable])
  t.same(documented.sort(), real.sort())
  t.end()
})

t.test('docs/reference/metrics.md lists every metric with its type and labels', async t => {
  const gauges = {
    queued: () => 0,
    steps: () => 0,
    rate: () => 0,
    taken: () => 0,
    ready: () => true,
    model: () => undefined,
    shadow: () => undefined,
    stale: () => false,
    registryUp: () => true,
    eventsHeard: () => true
  }
  const metrics = createMetrics(gauges)
  metrics.route('/predict').ended(200, 0.001)
  const real = (await metrics.registry.metrics())
    .split('\n')
    .flatMap(line => (/^# TYPE (gru_\S+) (\S+)$/.exec(line) ?? []).slice(1).join(' ') || [])
  const documented = rows('docs/reference/metrics.md').map(([, name, type]) => `${name} ${type}`)
  t.same(documented.sort(), real.sort())
})

t.test('npm start and the image tell malloc what the measurements tell it', t => {
  const told = Object.entries(MALLOC).map(([name, value]) => `${name}=${value}`)
  for (const file of ['package.json', 'Dockerfile']) {
    t.same(readFileSync(file, 'utf8').match(/\bMALLOC_\w+=\w+/g), told, file)
  }
  t.end()
})

/** Every document that people read, but the results of past runs. */
const documents = () =>
  execFileSync('git', ['ls-files', '*.md'], { encoding: 'utf8' })
    .split('\n')
    .filter(file => file !== '' && !file.startsWith('results/') && existsSync(file))

t.test('every link of a document leads to a file that is there', t => {
  for (const file of documents()) {
    const text = readFileSync(file, 'utf8').replace(/```[^]*?```/g, '')
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^([a-z]+:|#)/.test(target!)) continue
      t.ok(existsSync(join(dirname(file), target!.split('#')[0]!)), `${file}: ${target}`)
    }
  }
  t.end()
})

t.test('every test that a document names by its path is there', t => {
  for (const file of documents()) {
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/`(test\/[\w/.-]+\.test\.ts)`/g)) {
      t.ok(existsSync(path!), `${file}: ${path}`)
    }
  }
  t.end()
})

t.test('every anchor in a link is a heading of its document', t => {
  const anchor = (heading: string) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-')
  for (const file of documents()) {
    for (const [, target] of readFileSync(file, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)) {
      const [path, fragment] = target!.split('#')
      if (fragment === undefined || /^[a-z]+:/.test(target!) || path!.includes('results/')) continue
      const text = readFileSync(path === '' ? file : join(dirname(file), path!), 'utf8')
      const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading!))
      t.ok(headings.includes(fragment), `${file}: ${target}`)
    }
  }
  t.end()
})

t.test('the steps of a rollout stand in every list of them, in their order', t => {
  const lists = {
    'docs/guides/promotion.md': rows('docs/guides/promotion.md').map(([, names]) => names!),
    'docs/reference/metrics.md': [
      rows('docs/reference/metrics.md')
        .find(([, name]) => name === 'gru_promotion_step_seconds')!
        .at(-2)!
    ],
    'docs/glossary.md': [/^\| rollout \| (.*) \|$/m.exec(readFileSync('docs/glossary.md', 'utf8'))![1]!],
    'docs/adr/0008-promotion.md': [
      /^- \*\*Steps\.\*\* (.*)$/m.exec(readFileSync('docs/adr/0008-promotion.md', 'utf8'))![1]!
    ]
  }
  for (const [file, texts] of Object.entries(lists)) {
    const named = texts
      .flatMap(text => text.match(/\b[a-z]+\b/g) ?? [])
      .filter(word => (STEPS as readonly string[]).includes(word))
    t.same([...new Set(named)], STEPS, file)
  }
  t.end()
})
