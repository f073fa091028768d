import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../src/settings/config.js'
import { cacheOf } from '../../src/model/registry/sources.js'
import { readLocalBundle } from '../../src/model/bundle/files.js'
import { timeToAnswer } from './life.js'
import { type Figure, median, range } from './report.js'

/** A store that is down: nobody listens on the port of `discard`. */
const STORE = {
  MODEL_SOURCE: 's3',
  S3_ENDPOINT: 'http://127.0.0.1:9',
  S3_BUCKET: 'models',
  S3_PREFIX: 'live',
  S3_ACCESS_KEY_ID: 'a',
  S3_SECRET_ACCESS_KEY: 'b'
}

/** Fills a cache as a service does that took the embedded bundle live from this store. */
async function fill(settings: Record<string, string>): Promise<void> {
  const cache = cacheOf(loadConfig(settings), message => {
    throw new Error(message)
  })!
  await cache.open()
  const folder = await cache.temporary()
  cpSync('models/gru', folder, { recursive: true })
  await cache.keep('embedded', folder, await readLocalBundle(folder))
  await cache.note({ live: { key: 'embedded', version: '1' }, previous: null, held: null })
  await cache.close()
}

/** Start to the first answer from a warm cache, its store down, against the same from the embedded bundle. */
export async function cacheStart(body: Buffer, rounds: number): Promise<Figure[]> {
  const CACHE_DIR = mkdtempSync(join(tmpdir(), 'speed-cache-'))
  const settings = { ...STORE, CACHE_DIR }
  const embedded: number[] = []
  const cached: number[] = []
  try {
    await fill(settings)
    for (let round = 0; round <= rounds; round++) {
      const pair = [await timeToAnswer(body), await timeToAnswer(body, settings)] as const
      if (round === 0) continue // the first round reads the files from disk
      embedded.push(pair[0])
      cached.push(pair[1])
    }
  } finally {
    rmSync(CACHE_DIR, { recursive: true })
  }
  const ratios = cached.map((took, index) => took / embedded[index]!)
  const detail = `${median(cached).toFixed(0)} to ${median(embedded).toFixed(0)} ms; rounds ${range(ratios)}`
  return [
    {
      what: 'start from a warm cache, to one from the embedded bundle',
      value: median(ratios),
      bar: { most: 1.2 },
      detail
    }
  ]
}
