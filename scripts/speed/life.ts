import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { NO_TELEMETRY } from '../../src/host/telemetry.js'
import { load, residentMb, SERVICE, startTarget, stopTarget } from './processes.js'
import { type Figure, median, range } from './report.js'

/** Resident memory after 200,000 requests against that after 20,000. */
export async function memory(): Promise<Figure[]> {
  const target = await startTarget('service', SERVICE, 18306)
  let done = 0
  const upTo = async (count: number) => {
    while (done < count) done += (await load(target, 100, 1)).requests
    return { mb: residentMb(target), done }
  }
  const early = await upTo(20_000)
  const late = await upTo(200_000)
  await stopTarget(target)
  const detail = `${early.mb.toFixed(0)} MiB after ${early.done}, ${late.mb.toFixed(0)} MiB after ${late.done} requests`
  return [
    { what: 'RSS after 200,000 requests, to after 20,000', value: late.mb / early.mb, bar: { most: 1.1 }, detail }
  ]
}

/** Ms from the start of a process to its first line that holds `text`. */
async function timeToLine(entry: string, text: string): Promise<number> {
  const began = performance.now()
  const child = spawn(process.execPath, [entry], {
    env: { ...NO_TELEMETRY, PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let seen = ''
  for await (const chunk of child.stdout) {
    seen += String(chunk)
    if (seen.includes(text)) break
  }
  const took = performance.now() - began
  if (child.exitCode === null) await once(child, 'exit')
  return took
}

/** Ms from the start of the service, with settings of its own, to the first forecast that it gives. */
export async function timeToAnswer(body: Buffer, settings = {}): Promise<number> {
  const began = performance.now()
  const target = await startTarget('service', SERVICE, 18307, settings)
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`http://127.0.0.1:${target.port}/predict`, { method: 'POST', headers, body })
  await answer.json()
  const took = performance.now() - began
  if (answer.status !== 200) throw new Error(`status ${answer.status}`)
  await stopTarget(target)
  return took
}

/** Cold start to the first answer against a bare process that loads the same two libraries and creates the session. */
export async function coldStart(bodies: Buffer[], rounds: number): Promise<Figure[]> {
  const bare: number[] = []
  const ours: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const pair = [
      await timeToLine('scripts/speed/peers/bare-start.mjs', 'ready'),
      await timeToAnswer(bodies[0]!)
    ] as const
    if (round === 0) continue // the first round reads the files from disk
    bare.push(pair[0])
    ours.push(pair[1])
  }
  const ratios = ours.map((took, index) => took / bare[index]!)
  const detail = `${median(ours).toFixed(0)} to ${median(bare).toFixed(0)} ms; rounds ${range(ratios)}`
  return [{ what: 'cold start to first answer, to a bare process', value: median(ratios), bar: { most: 1.5 }, detail }]
}
