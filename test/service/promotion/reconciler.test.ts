import t from 'tap'
import { ModelRefused } from '../../../src/errors.js'
import { Reconciler } from '../../../src/model/promotion/reconciler.js'
import type { ModelSource, ModelRef } from '../../../src/model/registry/source.js'
import { readLocalBundle } from '../../../src/model/bundle/files.js'
import { refusedAs } from '../../support/refused.js'
import { rolloutOf } from '../../support/pool.js'

/** A registry that says whatever the test makes it say, and counts how often it was asked. */
class Registry implements ModelSource {
  version = '1'
  down = false
  asked = 0

  async resolve(): Promise<ModelRef> {
    this.asked++
    if (this.down) throw new ModelRefused('registry_unavailable', 'down')
    return { kind: 'mlflow', name: 'gru', version: this.version, runId: null, digest: null, location: 'a bucket' }
  }

  fetch(): Promise<void> {
    return Promise.resolve()
  }
}

/** A reconciler over such a registry, whose every version is the committed bundle. */
function following() {
  const { active, rollout, seen } = rolloutOf('models/gru', {
    workerEntry: new URL('../../../dist/worker.js', import.meta.url)
  })
  const registry = new Registry()
  const world = { fetched: [] as string[], broken: new Set<string>(), tried: () => undefined as void }
  const reconciler = new Reconciler(active, rollout, {
    source: registry,
    kind: 'mlflow',
    async fetchBundle({ version }) {
      world.fetched.push(version)
      return readLocalBundle('models/gru')
    },
    async sandbox() {
      const version = world.fetched.at(-1)!
      if (world.broken.has(version)) throw new ModelRefused('golden_mismatch', 'off')
      world.tried()
    },
    resolveTimeoutMs: 1000,
    onTrigger: () => undefined
  })
  const end = async () => {
    await reconciler.close()
    await rollout.close()
  }
  const serving = () => active.serving?.pool.bundle.manifest.version
  return { reconciler, registry, world, seen, serving, end }
}

t.test('events that come together, twice and late end at what the registry says now', async t => {
  const { reconciler, registry, world, serving, end } = following()
  const first = reconciler.reconcile('kafka')
  registry.version = '2'
  const triggers = Array.from({ length: 20 }, () => reconciler.reconcile('kafka'))
  registry.version = '3'
  await Promise.all([first, ...triggers])
  await reconciler.reconcile('poll')
  t.equal(serving(), '3', "answers name the registry's version")
  t.equal(world.fetched.at(-1), '3')
  t.ok(registry.asked <= 3, 'twenty triggers are one question')
  t.equal(new Set(world.fetched).size, world.fetched.length, 'nothing is rolled out twice')
  await end()
})

t.test('a bundle that was refused is not tried again until another is named or somebody orders it', async t => {
  const { reconciler, registry, world, serving, end } = following()
  await reconciler.reconcile('poll')
  world.broken.add('2')
  registry.version = '2'
  for (let round = 0; round < 3; round++) await t.rejects(reconciler.reconcile('poll'), refusedAs('golden_mismatch'))
  t.same(world.fetched, ['1', '2'])
  await t.rejects(reconciler.reload(), refusedAs('golden_mismatch'))
  t.same(world.fetched, ['1', '2', '2'])
  t.equal(serving(), '1')
  t.match(reconciler.state, { stale: true, promoted_version: '2' })
  registry.version = '3'
  await reconciler.reconcile('poll')
  t.match([serving(), reconciler.state.stale], ['3', false])
  await end()
})

t.test('a version that a rollback left stays off until the registry names another', async t => {
  const { reconciler, registry, serving, end } = following()
  await reconciler.reconcile('poll')
  registry.version = '2'
  await reconciler.reconcile('poll')
  await reconciler.rollback()
  await reconciler.reconcile('poll')
  t.match([serving(), reconciler.state.held_off], ['1', '2'])
  registry.version = '3'
  await reconciler.reconcile('kafka')
  t.match([serving(), reconciler.state.held_off, reconciler.state.previous_version], ['3', null, '1'])
  await end()
})

t.test('a rollback puts back what was before the version that it leaves, whatever is under way or waits', async t => {
  const { reconciler, registry, world, serving, end } = following()
  for (const version of ['1', '2']) {
    registry.version = version
    await reconciler.reconcile('poll')
  }
  registry.version = '3'
  // Version 3 has passed its trial when the order comes, and another hint waits behind it.
  const tried = new Promise<void>(resolve => (world.tried = resolve))
  const underWay = t.rejects(
    reconciler.reconcile('kafka'),
    refusedAs('superseded'),
    'the reconciliation under way ends'
  )
  await tried
  const waits = t.rejects(reconciler.reconcile('kafka'), refusedAs('superseded'), 'the one that waits does not begin')
  await reconciler.rollback()
  t.match([serving(), reconciler.state.held_off, reconciler.state.previous_version], ['1', '2', null])
  await Promise.all([underWay, waits])
  await reconciler.reconcile('poll')
  t.equal(serving(), '3', 'a look that comes later takes what the registry names')
  await end()
})

t.test('a registry that is down changes nothing but what is said of it', async t => {
  const { reconciler, registry, serving, seen, end } = following()
  await reconciler.reconcile('poll')
  registry.down = true
  await t.rejects(reconciler.reconcile('poll'), refusedAs('registry_unavailable'))
  t.match([serving(), reconciler.state], ['1', { registry_up: false, stale: true }])
  registry.down = false
  await reconciler.reconcile('poll')
  t.match(reconciler.state, { registry_up: true, stale: false })
  t.same(seen.promotions, ['live', 'registry_unavailable'])
  await end()
})
