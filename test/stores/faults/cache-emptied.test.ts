import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FolderLock } from '../../../src/host/folder-lock.js'
import { type Bucket, operatorOf, startBucket } from '../../support/bucket.js'
import { noted } from '../../support/cache-copy.js'
import { eventually } from '../../support/eventually.js'
import { type Service, startService } from '../../support/service.js'
import { changedBundle } from '../../support/wrong-bundles.js'

const BUNDLE = ['golden.json', 'model.json', 'model.onnx']
const LOST = 'files in CACHE_DIR were removed by another program: the files still in memory are written again'

const remove = (path: string) => rmSync(path, { recursive: true })
const contents = (folder: string) => readdirSync(folder).map(name => join(folder, name))

/** What somebody may do to the folder of a running replica. */
const HARM: [what: string, harm: (folder: string) => void][] = [
  ['removed', remove],
  ['emptied', folder => contents(folder).forEach(remove)],
  [
    'emptied by a shell, which leaves what is hidden',
    folder => ['bundles', 'state.json'].forEach(name => remove(join(folder, name)))
  ],
  ['without its bundles', folder => remove(`${folder}/bundles`)],
  ['with empty bundles', folder => contents(`${folder}/bundles`).flatMap(contents).forEach(remove)],
  ['without the models', folder => contents(`${folder}/bundles`).forEach(copy => remove(join(copy, 'model.onnx')))],
  ['without its state', folder => remove(`${folder}/state.json`)],
  ['without its lock', folder => remove(`${folder}/.lock`)],
  [
    'replaced by another',
    folder => {
      renameSync(folder, `${folder}-away`)
      mkdirSync(`${folder}/bundles/other`, { recursive: true })
      writeFileSync(`${folder}/state.json`, '{"of":"another"}')
    }
  ]
]

/** The folder is what a restart needs, guarded by this replica. */
async function whole(folder: string, { live, previous }: { live: string; previous: string }): Promise<void> {
  const isWhole = () => {
    const state = noted(folder)
    const copies = readdirSync(`${folder}/bundles`)
    return (
      // Nothing is being written next to it either.
      readdirSync(folder).toSorted().join() === '.lock,bundles,state.json' &&
      [state.live?.version, state.previous?.version].join() === [live, previous].join() &&
      copies.toSorted().join() ===
        state.bundles
          .map(({ sha256 }) => sha256)
          .toSorted()
          .join() &&
      copies.length === 2 &&
      copies.every(copy => readdirSync(`${folder}/bundles/${copy}`).toSorted().join() === BUNDLE.join())
    )
  }
  await eventually(`a whole cache with ${live} and ${previous}`, () => {
    try {
      return isWhole()
    } catch (error) {
      // It is being written.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
  })
}

async function start(t: Test, env: Record<string, string>): Promise<Service> {
  const service = await startService({ env })
  t.teardown(() => service.process.kill('SIGKILL'))
  return service
}

/** A replica that took version 1 live and then version 2. */
async function promoted(t: Test, bucket: Bucket, env: Record<string, string>): Promise<Service> {
  await bucket.put(changedBundle({ version: '1' }))
  const service = await start(t, env)
  await operatorOf(service).serves('1')
  await bucket.put(changedBundle({ version: '2' }))
  t.equal((await operatorOf(service).order('reload')).status, 200)
  return service
}

const told = ({ lines }: Service) => lines.filter(line => line.includes(LOST)).length

/** Kills a replica whose store is down, and starts the next: what served is there, and what a rollback needs. */
async function restarted(t: Test, service: Service, env: Record<string, string>): Promise<Service> {
  service.process.kill('SIGKILL')
  await service.exit
  return start(t, env)
}

t.test('a CACHE_DIR that is removed, emptied or replaced at run time is made again by the next promotion', async t => {
  const bucket = await startBucket(t)
  for (const [what, harm] of HARM) {
    const CACHE_DIR = `${t.testdir()}/cache`
    const env = { ...bucket.env(), CACHE_DIR, POLL_INTERVAL_MS: '0' }
    const service = await promoted(t, bucket, env)
    harm(CACHE_DIR)
    await bucket.put(changedBundle({ version: '3' }))
    t.match(await operatorOf(service).order('reload'), { status: 200, json: { model: { version: '3' } } }, what)
    await whole(CACHE_DIR, { live: '3', previous: '2' })
    await t.rejects(FolderLock.take(CACHE_DIR), { name: 'FolderNotOurs' }, 'it is guarded')
    // A lock alone is taken again without a word.
    t.equal(told(service), what === 'without its lock' ? 0 : 1, 'the log has it once')

    const next = await restarted(t, service, env)
    t.match(await operatorOf(next).state(), { ready: true, model: { version: '3' } })
    t.match((await operatorOf(next).order('rollback')).json, { model: { version: '2' } })
    t.equal(await next.stop(), 0)
  }
})

t.test('and by the next look, without a promotion, with the version before in it', async t => {
  const bucket = await startBucket(t)
  const CACHE_DIR = `${t.testdir()}/cache`
  const env = { ...bucket.env(), CACHE_DIR, POLL_INTERVAL_MS: '1000' }
  const service = await promoted(t, bucket, env)
  const stateWritten = () => statSync(`${CACHE_DIR}/state.json`, { bigint: true, throwIfNoEntry: false })?.mtimeNs
  for (const [what, harm] of HARM) {
    const before = told(service)
    const written = stateWritten()
    harm(CACHE_DIR)
    await eventually(`${what}: it is noticed`, () => told(service) === before + 1)
    // The state is written last: harm done to it before then would be made good unnoticed.
    await eventually(`${what}: the state is written`, () => ![undefined, written].includes(stateWritten()))
    await whole(CACHE_DIR, { live: '2', previous: '1' })
    rmSync(`${CACHE_DIR}-away`, { recursive: true, force: true })
  }
  t.equal(told(service), HARM.length)

  await bucket.minio.kill()
  const next = await restarted(t, service, env)
  t.match(await operatorOf(next).state(), { ready: true, model: { version: '2' } })
  t.match((await operatorOf(next).order('rollback')).json, { model: { version: '1' } })
  t.equal(await next.stop(), 0)
})

t.test('a rollback needs no CACHE_DIR, and what it leaves is held off over a restart', async t => {
  const bucket = await startBucket(t)
  const CACHE_DIR = `${t.testdir()}/cache`
  const env = { ...bucket.env(), CACHE_DIR, POLL_INTERVAL_MS: '0' }
  const service = await promoted(t, bucket, env)
  remove(CACHE_DIR)
  t.match((await operatorOf(service).order('rollback')).json, {
    model: { version: '1' },
    promotion: { held_off: '2' }
  })
  t.match(noted(CACHE_DIR), { live: { version: '1' }, previous: null, held: { version: '2' }, bundles: { length: 1 } })
  await bucket.minio.kill()
  const next = await restarted(t, service, env)
  t.match(await operatorOf(next).state(), { ready: true, model: { version: '1' }, promotion: { held_off: '2' } })
  t.equal(await next.stop(), 0)
})
