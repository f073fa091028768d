import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Forecast } from '../../src/model/inference/forecast.js'
import type { WindowReader } from '../../src/model/inference/window.js'
import { predictAnswer, serverTiming } from '../../src/server/predict/answer.js'
import { parseJsonBody } from '../../src/server/predict/json-body.js'
import { type Figure, median, range } from './report.js'
import { CAP, openPool, ringRowsPerSecond } from './ring.js'

const run = promisify(execFile)

/** Rows a second through the ring, fed in process, against bare onnxruntime at the batch cap on one thread. */
export async function ring(bodies: Buffer[], options: { rounds: number; seconds: number }): Promise<Figure[]> {
  const opened = await openPool()
  await ringRowsPerSecond(opened, bodies, 1)
  const ratios: number[] = []
  const both: [number, number][] = []
  for (let round = 0; round < options.rounds; round++) {
    const args = ['scripts/speed/peers/bare-batches.mjs', String(CAP), String(options.seconds)]
    const { stdout } = await run(process.execPath, args)
    const { rowsPerSecond: bare } = JSON.parse(stdout) as { rowsPerSecond: number }
    const ours = await ringRowsPerSecond(opened, bodies, options.seconds)
    ratios.push(ours / bare)
    both.push([ours, bare])
  }
  await opened.pool.close()
  const [ours, bare] = [0, 1].map(index => median(both.map(pair => pair[index]!)).toFixed(0))
  const detail = `${ours} to ${bare} rows a second; rounds ${range(ratios)}`
  return [
    {
      what: `rows/s through the ring, to bare onnxruntime at batch ${CAP}`,
      value: median(ratios),
      bar: { least: 0.92 },
      detail
    }
  ]
}

function microseconds(rounds: number, one: (index: number) => unknown): number[] {
  const perCall: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const began = performance.now()
    for (let index = 0; index < 20_000; index++) one(index)
    if (round > 0) perCall.push(((performance.now() - began) / 20_000) * 1000)
  }
  return perCall
}

/** Main-thread microseconds of a request's checks, filling and answer text; what its JSON takes is said beside it. */
export async function text(bodies: Buffer[], rounds: number): Promise<Figure[]> {
  const { pool, reader } = await openPool()
  const slot = pool.acquire()
  const values = pool.bundle.golden.windows.map(({ forecast }) => forecast.map(Math.fround))
  const listener = { forecasted() {}, failed() {} }
  const tables = bodies.map(body => parseJsonBody(body) as Parameters<WindowReader['read']>[0])
  const ours = microseconds(rounds, index => {
    const window = reader.read(tables[index % tables.length]!, slot)
    const forecast = new Forecast({ pool, window, steps: 1, deadline: 0 }, listener)
    forecast.values.push(...values[index % values.length]!)
    return predictAnswer(forecast, 'request-0').length + serverTiming(0.02, forecast).length
  })
  const parse = microseconds(rounds, index => parseJsonBody(bodies[index % bodies.length]!))
  await pool.close()
  const detail = `check, fill, answer text; rounds ${range(ours, 1)}; parsing the JSON ${median(parse).toFixed(1)} us more`
  return [{ what: 'validation and serialisation', value: median(ours), bar: { most: 20 }, unit: 'us', detail }]
}
