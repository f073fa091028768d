import { execFile } from 'node:child_process'
import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { bodyOf, gru } from '../support/bundles.js'
import { isGolden } from '../support/golden.js'
import { installedFolder } from '../support/servers/installed.js'
import { startService } from '../support/service.js'

const run = promisify(execFile)
const bundle = gru()
const service = await startService()
t.teardown(() => service.stop())
const description = `${service.url}/openapi.json`
const python = resolve('.services/openapi-python/bin')
const tools = installedFolder('openapi')

/** What the programs of test/fixtures/clients print. */
interface Printed {
  predictions: ({ ts: string; value: number } & Record<string, string | number>)[]
  version: string
  features: string[]
  code: string
}

/** A folder with one of the programs, in which its client is to be made. */
function folderOf(t: Test, program: string): string {
  const folder = t.testdir()
  cpSync(`test/fixtures/clients/${program}`, join(folder, program))
  return folder
}

/** Runs a program on a golden window, and holds what it prints to the trainer's forecast and the manifest. */
async function forecasts(t: Test, command: string[], cwd: string, env: Record<string, string> = {}): Promise<void> {
  const index = 3
  const [program = '', ...args] = command
  const running = run(program, [...args, service.url], { cwd, env: { ...process.env, ...env } })
  running.child.stdin!.end(JSON.stringify(bodyOf(bundle, index, 2)))
  const { predictions, version, features, code } = JSON.parse((await running).stdout) as Printed
  const { forecast, time } = bundle.golden.windows[index]!
  t.equal(predictions.length, 2)
  t.ok(isGolden(bundle, forecast, predictions[0]!), 'the forecast is the trainer’s')
  t.equal(predictions[0]!.value, predictions[0]![bundle.manifest.target])
  const next = Date.parse(`${time.at(-1)}Z`) + 120_000
  t.equal(predictions[0]!.ts, new Date(next).toISOString().slice(0, 19))
  t.equal(version, bundle.manifest.version)
  t.same(
    features,
    bundle.manifest.features.map(({ name }) => name)
  )
  t.equal(code, 'missing_index')
}

t.test('a client for Python by openapi-python-client forecasts', async t => {
  const folder = folderOf(t, 'main.py')
  const config = join(folder, 'config.yaml')
  writeFileSync(config, 'post_hooks: []\n')
  const options = ['generate', '--url', description, '--meta', 'none', '--output-path', join(folder, 'client')]
  const { stdout, stderr } = await run(`${python}/openapi-python-client`, [...options, '--config', config])
  t.notMatch(stdout + stderr, /warning|skipping|unable/i, 'no operation is left out')
  await forecasts(t, [`${python}/python`, 'main.py'], folder)
})

t.test('a client for TypeScript by openapi-ts forecasts, and its types hold', async t => {
  const folder = folderOf(t, 'main.ts')
  const generator = `${tools}/typescript/node_modules/@hey-api/openapi-ts/bin/run.js`
  await run(process.execPath, [generator, '--input', description, '--output', join(folder, 'client'), '--no-log-file'])
  const source = join(folder, 'main.ts')
  const strict = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022']
  const types = ['--types', 'node', '--typeRoots', resolve('node_modules/@types')]
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  await run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), ...strict, ...types, source])
  await forecasts(t, [process.execPath, '--import', resolve('node_modules/tsx/dist/loader.mjs'), 'main.ts'], folder)
})

t.test('a client for Go by openapi-generator forecasts', async t => {
  const folder = folderOf(t, 'main.go')
  const jar = `${tools}/java/openapi-generator-cli.jar`
  const options = ['-g', 'go', '-i', description, '-o', join(folder, 'client')]
  await run('java', ['-jar', jar, 'generate', ...options, '--additional-properties=withGoMod=false'])
  rmSync(join(folder, 'client', 'test'), { recursive: true, force: true })
  t.ok(readdirSync(join(folder, 'client')).includes('model_predict_request.go'))
  writeFileSync(join(folder, 'go.mod'), 'module clients\n\ngo 1.23\n')
  await forecasts(t, ['go', 'run', '.'], folder, { GOFLAGS: '-mod=mod', GOPROXY: 'off', GOWORK: 'off' })
})
