import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { gru } from '../support/bundles.js'
import { isGolden } from '../support/golden.js'
import { startService } from '../support/service.js'

const run = promisify(execFile)

const bundle = gru()
const window = JSON.parse(readFileSync('examples/window.json', 'utf8')) as { data: { ts: string[] } }
const index = bundle.golden.windows.findIndex(({ time }) => time[0] === window.data.ts[0])
/** the trainer's own forecasts of the examples' window, step after step */
const expected = bundle.golden.rollouts!.find(rollout => rollout.index === index)!.forecasts

const service = await startService()
t.teardown(() => service.stop())

type Row = { ts: string; value: number } & Record<string, string | number>

/** Whether the rows are the trainer's, with times two minutes apart from the window's end on. */
function isForecast(rows: Row[], steps: number): boolean {
  const end = Date.parse(`${window.data.ts.at(-1)}Z`)
  const times = rows.map((_, step) => new Date(end + (step + 1) * 120_000).toISOString().slice(0, 19))
  return (
    rows.length === steps && rows.every((row, step) => row.ts === times[step] && isGolden(bundle, expected[step]!, row))
  )
}

/** Reads `TIME name=value name=value ...`, a line a step. */
function parseRows(text: string): Row[] {
  return text
    .trim()
    .split('\n')
    .map(line => {
      const [ts = '', ...values] = line.split(' ')
      return { ts, ...Object.fromEntries(values.map(each => each.split('='))) } as Row
    })
}

t.test('examples/curl.sh pings, forecasts one row and five, and shows an error', async t => {
  const { stdout } = await run('examples/curl.sh', [service.url])
  const answers = stdout.split('\n').filter(line => line.startsWith('{'))
  const [ping, one, five, failure] = answers.map(
    line => JSON.parse(line) as { input_seq_len?: number; predictions?: Row[]; error?: { path: string } }
  )
  t.equal(answers.length, 4)
  t.equal(ping!.input_seq_len, bundle.manifest.window)
  t.ok(isForecast(one!.predictions!, 1))
  t.ok(isForecast(five!.predictions!, 5))
  t.equal(failure!.error!.path, '/inference_length')
})

const programs = [
  { name: 'examples/python/forecast.py', command: '.services/python/bin/python', args: [] },
  { name: 'examples/typescript/forecast.ts', command: process.execPath, args: ['--import', 'tsx'] }
]

for (const { name, command, args } of programs) {
  t.test(`${name} prints the trainer's forecast, and the service's own words when refused`, async t => {
    const { stdout } = await run(command, [...args, name, service.url])
    t.ok(isForecast(parseRows(stdout), 5), stdout)
    const { PATH } = process.env
    const fromEnvironment = await run(command, [...args, name], { env: { PATH, SERVICE_URL: service.url } })
    t.equal(fromEnvironment.stdout, stdout, 'the base URL from the environment')
    const refused = run(command, [...args, name, service.url, '0'])
    await t.rejects(refused, { code: 1, stderr: /400 out_of_range: .+ at \/inference_length/ })
  })
}

t.test("the TypeScript example's types are those of the service", async t => {
  const cli = 'node_modules/openapi-typescript/bin/cli.js'
  const { stdout } = await run(process.execPath, [cli, `${service.url}/openapi.json`])
  const committed = readFileSync('examples/typescript/api.d.ts', 'utf8')
  t.ok(stdout.includes('"/predict"'))
  t.equal(committed, stdout, 'with `npm start` running: npm run examples:types')
})
