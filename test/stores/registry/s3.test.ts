import { mkdtempSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../../src/settings/config.js'
import { sourceOf } from '../../../src/model/registry/sources.js'
import { startBucket } from '../../support/bucket.js'
import { breakOff, httpFront } from '../../support/http-front.js'
import { refusedAs } from '../../support/refused.js'
import { changedBundle } from '../../support/wrong-bundles.js'

/** Files in a folder that this process has open (Linux). */
function openIn(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`)
      return file.startsWith(folder) ? [file] : []
    } catch {
      return []
    }
  })
}

const never = new AbortController().signal

t.test(
  'a bundle that is replaced between the question and the fetch is not taken for the one that was named',
  async t => {
    const bucket = await startBucket(t)
    const source = sourceOf(loadConfig(bucket.env()))
    await bucket.put(changedBundle({ version: '1' }))
    const pointer = await source.resolve(never)
    await bucket.put(changedBundle({ version: '2' }))
    await t.rejects(source.fetch(pointer, t.testdir(), never), refusedAs('superseded'))
    const now = await source.resolve(never)
    t.match(now, { version: '2' })
    await t.resolves(source.fetch(now, t.testdir(), never))
  }
)

t.test(
  'a fetch whose answers break off has nothing open when it ends: the next one finds the folder its own',
  async t => {
    const bucket = await startBucket(t)
    const front = await httpFront(t, bucket.minio.endpoint)
    const source = sourceOf(loadConfig(bucket.env(front.url)))
    await bucket.put(changedBundle({ version: '1' }))
    const pointer = await source.resolve(never)
    front.instead = breakOff
    const home = t.testdir()
    const left: string[] = []
    const refusals = new Set<unknown>()
    for (let round = 0; round < 50; round += 1) {
      const folder = mkdtempSync(join(home, 'fetch-'))
      const refusal = await source.fetch(pointer, folder, never).catch(error => error.reason)
      left.push(...openIn(folder))
      refusals.add(refusal)
    }
    t.same([left, [...refusals]], [[], ['storage_unavailable']])
    front.instead = undefined
    await t.resolves(source.fetch(pointer, t.testdir(), never))
  }
)
