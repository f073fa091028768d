import { setTimeout as pause } from 'node:timers/promises'
import { startStack } from '../../src/bench/stack/stack.js'
import { followingEnv } from '../../test/support/followed.js'
import { newName, register, training } from '../../test/support/registry.js'
import { type Stores, stores } from '../../test/support/stores.js'
import { type Figure, median, range } from './report.js'

const REPLICAS = 8
const PORT = 18_320
const POLL_MS = 5000
const LOOK_MS = 20
const BUNDLE = 'models/gru'

async function promote(given: Stores, name: string, version: number): Promise<void> {
  const { code, stderr } = await training(given, 'promote', '--name', name, '--version', String(version), '--force')
  if (code !== 0) throw new Error(stderr)
}

/** The version that a server answers a forecast with; undefined when it gives none. */
async function versionOf(url: string, body: Buffer): Promise<string | undefined> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}/predict`, { method: 'POST', headers, body })
  return ((await answer.json()) as { model_version?: string }).model_version
}

/** Asks until each of the servers has answered with a version. */
async function allAnswer(urls: string[], version: number, body: Buffer): Promise<void> {
  const left = new Set(urls)
  for (; left.size > 0; await pause(LOOK_MS)) {
    for (const url of left) if ((await versionOf(url, body)) === String(version)) left.delete(url)
  }
}

/** Seconds from the start of `promote` until every replica, and HAProxy, answers with the new version; a value a round. */
async function seconds(given: Stores, body: Buffer, rounds: number, hears: boolean): Promise<number[]> {
  const name = newName()
  for (let version = 1; version <= rounds + 1; version++) await register(given, BUNDLE, name)
  await promote(given, name, 1)
  const { kafka, ...silent } = { ...given, name }
  const env = {
    ...followingEnv(hears ? { ...silent, kafka } : silent),
    ...(!hears && { POLL_INTERVAL_MS: String(POLL_MS) })
  }
  const stack = await startStack({ replicas: REPLICAS, port: PORT, env })
  try {
    const urls = [stack.url, ...stack.replicas.map(({ url }) => url)]
    await allAnswer(urls, 1, body)
    const took: number[] = []
    for (let round = 1; round <= rounds; round++) {
      const began = performance.now()
      await promote(given, name, round + 1)
      await allAnswer(urls, round + 1, body)
      took.push((performance.now() - began) / 1000)
    }
    return took
  } finally {
    await stack.stop()
  }
}

/** From `promote` to the first answer of the new version on every replica: with Kafka, and by the poll alone. */
export async function promotion(body: Buffer, rounds: number): Promise<Figure[]> {
  const given = await stores()
  try {
    const figures: Figure[] = []
    for (const hears of [true, false]) {
      const took = await seconds(given, body, rounds, hears)
      figures.push({
        what: `promote to the new version's answer on each of ${REPLICAS} replicas, ${hears ? 'with Kafka' : `poll of ${POLL_MS / 1000} s`}`,
        value: median(took),
        bar: { most: hears ? 5 : POLL_MS / 1000 + 5 },
        unit: 's',
        detail: `from the start of the command; rounds ${range(took, 1)}`
      })
    }
    return figures
  } finally {
    await given.stop()
  }
}
