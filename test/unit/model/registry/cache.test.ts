import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { BundleFiles } from '../../../../src/model/bundle/bundle.js'
import { BundleCache, CacheUnusable } from '../../../../src/model/registry/cache.js'
import { refusedAs } from '../../../support/refused.js'

const files = (model: string): BundleFiles => ({ manifest: '{"m":1}', golden: '{"g":1}', model: Buffer.from(model) })
const served = (key: string) => ({ key, version: `version ${key}` })

async function opened(folder: string, origin = 'here') {
  const warnings: string[] = []
  const cache = new BundleCache({ folder, origin, warn: message => void warnings.push(message) })
  await cache.open()
  return { cache, warnings }
}

/** The next process, after one that has ended. */
async function reopened(before: BundleCache, folder: string, origin?: string) {
  await before.close()
  return opened(folder, origin)
}

/** Puts a bundle into the cache as a fetch does. */
async function put(cache: BundleCache, key: string): Promise<void> {
  const folder = await cache.temporary()
  const { manifest, golden, model } = files(key)
  writeFileSync(`${folder}/model.json`, manifest)
  writeFileSync(`${folder}/golden.json`, golden)
  writeFileSync(`${folder}/model.onnx`, model)
  await cache.keep(key, folder, files(key))
}

const folderOf = (t: Test) => `${t.testdir()}/cache`
const copies = (folder: string) => readdirSync(`${folder}/bundles`)

t.test('what served and what was live are there after a restart', async t => {
  const folder = folderOf(t)
  const { cache } = await opened(folder)
  await put(cache, 'a')
  await put(cache, 'b')
  const past = { live: served('b'), previous: served('a'), held: null }
  await cache.note(past)

  const after = (await reopened(cache, folder)).cache
  t.same(after.past, past)
  t.same(await after.read('b'), files('b'))
  t.same(await after.read('a'), files('a'))
})

t.test('a copy lies under the sha256 of the sha256 of its files', async t => {
  const folder = folderOf(t)
  const { cache } = await opened(folder)
  await put(cache, 'a')
  await cache.note({ live: served('a'), previous: null, held: null })
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  t.same(copies(folder), [sha256([sha256('{"m":1}'), sha256('{"g":1}'), sha256('a')].join('\n'))])
})

t.test('of the bundles that came, the last two that served stay', async t => {
  const folder = folderOf(t)
  const { cache } = await opened(folder)
  for (const key of ['a', 'b', 'c']) await put(cache, key)
  await cache.note({ live: served('c'), previous: served('b'), held: null })
  t.equal(copies(folder).length, 2)
  await t.rejects(cache.read('a'), refusedAs('not_found'))
  await cache.note({ live: served('b'), previous: null, held: served('c') })
  t.same(await cache.read('c'), files('c'), 'what a rollback left is there for a reload')
  await put(cache, 'refused')
  await cache.note({ live: served('b'), previous: null, held: served('c') })
  t.equal(copies(folder).length, 2)
  t.notOk(cache.has('refused'))
})

t.test('any flipped bit in a copy is found', async t => {
  const folder = folderOf(t)
  for (const file of ['model.json', 'golden.json', 'model.onnx']) {
    const { cache, warnings } = await opened(folder)
    await put(cache, 'a')
    await cache.note({ live: served('a'), previous: null, held: null })
    const path = `${folder}/bundles/${copies(folder)[0]}/${file}`
    const content = readFileSync(path)
    content[0]! ^= 1
    writeFileSync(path, content)
    const after = (await reopened(cache, folder)).cache
    await t.rejects(after.read('a'), refusedAs('checksum_mismatch'), file)
    t.notOk(after.has('a'))
    t.same(warnings, [])
    await put(after, 'a')
    t.same(await after.read('a'), files('a'), 'a new copy takes its place')
    await after.close()
  }
})

t.test('what a killed process left is removed, and what it wrote by halves is not used', async t => {
  const folder = folderOf(t)
  const { cache } = await opened(folder)
  const half = await cache.temporary()
  writeFileSync(`${half}/model.onnx`, 'half')
  writeFileSync(`${folder}/temporary-state.json`, '{"schema_version":1,"ori')
  mkdirSync(`${folder}/bundles/${'0'.repeat(64)}`)
  writeFileSync(`${folder}/state.json`, '{"schema_version":1,"ori')
  const { cache: after, warnings } = await reopened(cache, folder)
  t.notOk(existsSync(half))
  t.same(readdirSync(folder).sort(), ['.lock', 'bundles', 'state.json'])
  t.same(copies(folder), [])
  t.same(after.past, { live: null, previous: null, held: null })
  t.match(warnings, [/state.json in CACHE_DIR cannot be read/])
})

t.test('copies of another source are not served from', async t => {
  const folder = folderOf(t)
  const { cache } = await opened(folder)
  await put(cache, 'a')
  await cache.note({ live: served('a'), previous: null, held: null })
  const other = (await reopened(cache, folder, 'elsewhere')).cache
  t.equal(other.past.live, null)
  t.same(copies(folder), [])
})

t.test('a folder that cannot be used is told by the code of the failure', async t => {
  const folder = folderOf(t)
  writeFileSync(folder, 'a file')
  const error = await opened(folder).catch((failure: unknown) => failure)
  t.ok(error instanceof CacheUnusable)
  t.match((error as Error).message, /^cannot be used \((ENOTDIR|EEXIST)\)$/)
})
