import { createServer } from 'node:net'
import { once } from 'node:events'
import { createHash } from 'node:crypto'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { ConfigSchema } from '../../../src/settings/config.js'
import type { Manifest } from '../../../src/model/bundle/manifest.js'
import { spawnService, startService } from '../../support/service.js'
import { unhandled } from '../../support/unhandled.js'

const JUNK = 'junk-5d1e7a'
const SETTINGS = Object.keys(ConfigSchema.properties)
/** Starts at a time. */
const TOGETHER = 3

/** Starts a service that must refuse to: exit 1, and one line that names the setting and not its value. */
async function refusesToStart(t: Test, what: string, env: Record<string, string>, name: string): Promise<string> {
  const service = spawnService({ env })
  t.equal(await service.exit, 1, `${what}: exit 1`)
  const said = service.lines.filter(line => !line.startsWith('{'))
  t.equal(said.length, 1, `${what}: one line`)
  t.match(said[0], new RegExp(`^gru-inference: ${name} `), `${what}: it names ${name}`)
  const everything = service.lines.join('\n')
  for (const value of Object.values(env)) if (value.length > 4) t.notOk(everything.includes(value), `${what}: no value`)
  t.notMatch(everything, /Server listening|unhandled|uncaught/i, `${what}: it never served`)
  return said[0] ?? ''
}

t.test('a setting that cannot be read stops the start in one line that names it and hides its value', async t => {
  const open = SETTINGS.filter(name => !['HOST', 'MODEL_DIR'].includes(name))
  const workers = Array.from({ length: TOGETHER }, async () => {
    for (let name = open.shift(); name !== undefined; name = open.shift()) {
      await refusesToStart(t, name, { [name]: JUNK }, name)
    }
  })
  await Promise.all(workers)
})

/** The settings with a range, each at one end of it, but for those that depend on the host, the model or each other. */
function extreme(end: 'minimum' | 'maximum'): Record<string, string> {
  const ranged = Object.entries(ConfigSchema.properties).flatMap(([name, setting]) =>
    'minimum' in setting && !['PORT', 'WORKERS', 'MAX_ROWS'].includes(name) ? [[name, String(setting[end])]] : []
  )
  return { ...Object.fromEntries(ranged), RUN_TIMEOUT_MS: '60000', DRAIN_DELAY_MS: '0', GRACE_MS: '60000' }
}

t.test('every setting at its minimum, or at its maximum, is one to start with', async t => {
  for (const end of ['minimum', 'maximum'] as const) {
    // Two listeners cannot have one port.
    const one = end === 'maximum' ? { GRPC_PORT: '65534' } : {}
    const service = await startService({ env: { ...extreme(end), ...one } })
    t.teardown(() => service.process.kill('SIGKILL'))
    t.equal((await fetch(`${service.url}/readyz`)).status, 200, end)
    t.equal(await service.stop(), 0, end)
    t.same(unhandled(service), [], end)
  }
})

t.test('settings that cannot stand together stop the start', async t => {
  await refusesToStart(t, 'delay over grace', { DRAIN_DELAY_MS: '70001', GRACE_MS: '70000' }, 'DRAIN_DELAY_MS')
  await refusesToStart(t, 'one port twice', { PORT: '48080', ADMIN_PORT: '48080' }, 'ADMIN_PORT')
  await refusesToStart(t, 'one port twice', { PORT: '48080', GRPC_PORT: '48080' }, 'GRPC_PORT')
  await refusesToStart(t, 'an address without a port', { ADMIN_HOST: '127.0.0.1' }, 'ADMIN_HOST')
  await refusesToStart(t, 'batch over queue', { BATCH_CAP: '16', QUEUE_ROWS: '8' }, 'BATCH_CAP')
  t.match(
    await refusesToStart(t, 'window over table', { MAX_ROWS: '9' }, 'MODEL_DIR'),
    /window of 10 rows, more than MAX_ROWS/
  )
})

t.test('a port that is taken and a host that is not ours stop the start, with the model loaded already', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const address = taken.address()
  const port = typeof address === 'object' && address ? String(address.port) : ''
  for (let round = 0; round < 3; round++) await refusesToStart(t, 'a taken port', { PORT: port }, 'PORT')
  await refusesToStart(t, 'a taken port of operators', { ADMIN_PORT: port }, 'ADMIN_PORT')
  await refusesToStart(t, 'another host', { HOST: '192.0.2.1' }, 'HOST')
  await refusesToStart(t, 'another host for operators', { ADMIN_PORT: '0', ADMIN_HOST: '192.0.2.1' }, 'ADMIN_HOST')
  await refusesToStart(t, 'no name', { ADMIN_PORT: '0', ADMIN_HOST: 'nowhere.invalid' }, 'ADMIN_HOST')
})

/** For Node's `--import`: a host on which `localhost` has two addresses. */
const TWO_ADDRESSES = `
  import dns from 'node:dns'
  const { lookup } = dns
  dns.lookup = (host, options, done) =>
    host === 'localhost' && options.all
      ? done(null, ['127.0.0.1', '127.0.0.2'].map(address => ({ address, family: 4 })))
      : lookup(host, options, done)`

t.test('a name with several addresses is listened on at one: a second would have none of the bounds', async t => {
  const preload = `data:text/javascript,${encodeURIComponent(TWO_ADDRESSES)}`
  const service = await startService({ env: { HOST: 'localhost' }, nodeArgs: ['--import', preload] })
  t.teardown(() => service.process.kill('SIGKILL'))
  t.equal((await fetch(`http://127.0.0.1:${service.port}/readyz`)).status, 200)
  await t.rejects(fetch(`http://127.0.0.2:${service.port}/readyz`), { cause: { code: 'ECONNREFUSED' } })
  t.equal(await service.stop(), 0)
})

/** A copy of the promoted bundle after a change to one of its files. */
function bundleWith(folder: string, change: (folder: string) => void): string {
  cpSync('models/gru', folder, { recursive: true })
  change(folder)
  return folder
}

function editManifest(folder: string, change: (manifest: Manifest) => void): void {
  const manifest = JSON.parse(readFileSync(`${folder}/model.json`, 'utf8')) as Manifest
  change(manifest)
  writeFileSync(`${folder}/model.json`, JSON.stringify(manifest))
}

/** Changes a weight: the exponent of one of the floats in the middle of the file, wherever it begins. */
function changeWeight(folder: string): Buffer {
  const model = readFileSync(`${folder}/model.onnx`)
  for (let at = 0; at < 4; at++) model[(model.length >> 1) + at]! ^= 0x40
  writeFileSync(`${folder}/model.onnx`, model)
  return model
}

const BUNDLES: Record<string, [(folder: string) => void, string]> = {
  'a folder that is not there': [folder => rmSync(folder, { recursive: true }), 'not_found'],
  'no model': [folder => rmSync(`${folder}/model.onnx`), 'not_found'],
  'no golden answers': [folder => rmSync(`${folder}/golden.json`), 'not_found'],
  'a manifest that is not JSON': [folder => writeFileSync(`${folder}/model.json`, '<html>'), 'manifest_invalid'],
  'golden answers that are not JSON': [folder => writeFileSync(`${folder}/golden.json`, ''), 'golden_invalid'],
  'a flipped bit': [changeWeight, 'checksum_mismatch'],
  'another weight, with its digest': [
    folder => {
      const model = changeWeight(folder)
      editManifest(folder, manifest => (manifest.sha256 = createHash('sha256').update(model).digest('hex')))
    },
    'golden_mismatch'
  ],
  'a model that is none, with its digest': [
    folder => {
      writeFileSync(`${folder}/model.onnx`, JUNK)
      editManifest(folder, manifest => (manifest.sha256 = createHash('sha256').update(JUNK).digest('hex')))
    },
    'load_failed'
  ],
  'another name of a tensor': [
    folder => editManifest(folder, ({ outputs }) => (outputs[0]!.name = 'answer')),
    'signature_mismatch'
  ],
  'a feature less': [folder => editManifest(folder, ({ features }) => void features.pop()), 'golden_invalid']
}

t.test('a bundle that must not serve stops the start, with the reason', async t => {
  const folders = t.testdir()
  for (const [what, [change, reason]] of Object.entries(BUNDLES)) {
    const MODEL_DIR = bundleWith(`${folders}/${reason} ${what}`, change)
    const line = await refusesToStart(t, what, { MODEL_DIR }, 'MODEL_DIR')
    t.match(line, new RegExp(`: ${reason}: `), what)
  }
})
