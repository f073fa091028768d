import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { post, residentMb, SERVICE, startTarget, stopTarget, type Target } from './processes.js'
import { type Figure, median, percentile, range } from './report.js'

const PORT = 18_311
const SWAPS = 50
const FEW_SWAPS = 5
const PROCESSES = 5
/** Requests a second, on a schedule that does not wait for answers: some percent of what one replica can take. */
const RATE = 250
const TICK_MS = 20
const ADMIN_TOKEN = 'token-of-the-speed-script'

/** Sends on schedule while `work` lasts; resolves to the latencies in ms, each from when its request was due. */
async function latenciesDuring(
  target: Target,
  bodies: readonly Buffer[],
  work: () => Promise<void>
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true })
  const took: number[] = []
  const failed: string[] = []
  const state = { going: true }
  const working = work().finally(() => (state.going = false))
  const began = performance.now()
  const answers: Promise<void>[] = []
  for (let sent = 0; state.going; await pause(TICK_MS)) {
    for (; sent < ((performance.now() - began) * RATE) / 1000; sent++) {
      const due = began + (sent * 1000) / RATE
      const answer = post(target, agent, bodies[sent % bodies.length]!)
      answers.push(
        answer.then(
          () => void took.push(performance.now() - due),
          error => void failed.push(String(error))
        )
      )
    }
  }
  await Promise.all([working, ...answers])
  agent.destroy()
  if (failed.length > 0) throw new Error(`${failed.length} of ${answers.length} requests failed: ${failed[0]}`)
  return took
}

/** Promotes the other of two versions in the folder and waits until it serves. */
async function swap(folder: string, index: number): Promise<void> {
  const file = join(folder, 'model.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as object
  writeFileSync(file, JSON.stringify({ ...manifest, version: String(index) }))
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
  const answer = await fetch(`http://127.0.0.1:${PORT}/admin/reload`, { method: 'POST', headers })
  if (answer.status !== 200) throw new Error(`swap ${index}: ${await answer.text()}`)
}

interface Life {
  /** P99 in ms during swaps, and in as long a time without */
  pairs: [number, number][]
  /** MiB after few swaps, and after all */
  memory: [number, number]
}

/** One process from its start through all rounds, with so many swaps in each. */
async function live(folder: string, bodies: Buffer[], rounds: number, each: number): Promise<Life> {
  const target = await startTarget('service', SERVICE, PORT, { MODEL_DIR: folder, ADMIN_TOKEN })
  const pairs: [number, number][] = []
  const memory: number[] = []
  await latenciesDuring(target, bodies, () => pause(3000))
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    const swapping = await latenciesDuring(target, bodies, async () => {
      for (let one = 0; one < each; one++) {
        await swap(folder, memory.length + 1)
        memory.push(residentMb(target))
      }
    })
    const steady = await latenciesDuring(target, bodies, () => pause(performance.now() - began))
    pairs.push([percentile(swapping, 0.99), percentile(steady, 0.99)])
  }
  await stopTarget(target)
  return { pairs, memory: [memory[FEW_SWAPS - 1]!, memory.at(-1)!] }
}

/**
 * P99 during swaps against that of as long a time without, pair by pair, and memory after many swaps against after few: in several
 * processes, for how full V8's heap is at the last swap differs from one to the next.
 */
export async function swaps(bodies: Buffer[], rounds: number): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'speed-swaps-'))
  cpSync('models/gru', folder, { recursive: true })
  try {
    const each = Math.ceil(SWAPS / rounds)
    const lives: Life[] = []
    for (let one = 0; one < PROCESSES; one++) lives.push(await live(folder, bodies, rounds, each))
    const pairs = lives.flatMap(life => life.pairs)
    const latencies = pairs.map(([swapping, steady]) => swapping / steady)
    const [swapping, steady] = [0, 1].map(index => median(pairs.map(pair => pair[index]!)).toFixed(1))
    const memories = lives.map(({ memory: [few, many] }) => many / few)
    const done = rounds * each
    return [
      {
        what: `P99 during ${done} swaps, to P99 without`,
        value: median(latencies),
        bar: { most: 1.5 },
        detail: `${swapping} to ${steady} ms at ${RATE} requests/s; rounds ${range(latencies)}`
      },
      {
        what: `RSS after ${done} swaps, to after ${FEW_SWAPS}`,
        value: median(memories),
        bar: { most: 1.15 },
        detail: `${lives.map(({ memory: [few, many] }) => `${many.toFixed(0)} to ${few.toFixed(0)} MiB`).join(', ')}; processes ${range(memories)}`
      }
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}
