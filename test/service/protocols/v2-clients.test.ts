import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { gru } from '../../support/bundles.js'
import { isGolden } from '../../support/golden.js'
import { namedRow } from '../../support/infer.js'
import { PATIENT, started } from '../../support/v2-service.js'

const run = promisify(execFile)
const bundle = gru()
const { manifest, golden } = bundle
const given = { model: manifest.name, windows: golden.windows.map(({ window }) => window) }
const service = await started(t, { env: PATIENT })

/** Runs a client's program, and returns what it tells. */
async function told<Told>(program: string, address: string): Promise<Told> {
  const running = run('.services/clients-v2/bin/python', [`test/fixtures/clients-v2/${program}.py`, address])
  running.child.stdin!.end(JSON.stringify(given))
  return JSON.parse((await running).stdout) as Told
}

function allGolden(t: Test, forecasts: Record<string, number[][]>): void {
  for (const [way, rows] of Object.entries(forecasts)) {
    const right = rows.filter((row, index) => isGolden(bundle, golden.windows[index]!.forecast, namedRow(bundle, row)))
    t.equal(right.length, golden.windows.length, way)
  }
}

interface Refused {
  status: string
  message: string
}

t.test('Triton’s client over HTTP, unchanged: every way of its own gives the trainer’s forecasts', async t => {
  type Told = { forecasts: Record<string, number[][]>; steps: number[][][]; errors: Record<string, Refused> }
  const { forecasts, steps, errors, ...rest } = await told<Told>('tritonclient_http', `127.0.0.1:${service.port}`)
  t.equal(Object.keys(forecasts).length, 9)
  allGolden(t, forecasts)
  t.ok(steps.every(({ length }) => length === 5))
  allGolden(t, { 'first steps': steps.map(([first]) => first!) })
  t.match(rest, {
    live: true,
    ready: true,
    model_ready: true,
    id: 'own-1',
    metadata: { name: manifest.name, inputs: [{ name: 'window', shape: [-1, 10, 11] }] },
    config: { max_batch_size: 256 },
    server: { name: 'gru-inference' },
    index: [{ name: manifest.name, state: 'READY' }]
  })
  t.match(errors, {
    model: { status: '404', message: /gru-traffic serves/ },
    version: { status: '404', message: /version 1 serves/ },
    shape: { status: '400', message: /expected \[n, 10, 11\]/ },
    values: { status: '400', message: /^\[400\] non_finite|^non_finite/ },
    load: { status: '400', message: /load is not supported/ }
  })
})

t.test('KServe’s client over HTTP, unchanged', async t => {
  type Told = { forecasts: Record<string, number[][]>; errors: Record<string, Refused> }
  const { forecasts, errors, ...rest } = await told<Told>('kserve_rest', service.url)
  allGolden(t, forecasts)
  t.same(rest, { live: true, ready: true, model_ready: true })
  t.match(errors, {
    model: { status: '404', message: /gru-traffic serves/ },
    shape: { status: '400', message: /expected \[n, 10, 11\]/ },
    values: { status: '400', message: /expected a value of at least 0/ }
  })
})
