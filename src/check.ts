import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { exitCodeOf, refusedAs, type Verdict } from './model/promotion/verdict.js'

// `node dist/check.js [--json] [--address URI] DIR`: whether a replica of this service would take the bundle in DIR live.
// docs/reference/model-bundle.md has its exit codes and its JSON.

const USAGE = `usage: node dist/check.js [--json] [--address URI] DIR

Takes the bundle in DIR live as a replica would, with nobody to serve, and says whether it may be promoted. DIR is only read.
  --json         print one JSON object instead of a line for people
  --address URI  refuse it too if no replica would follow this address of its files in MLflow
Exit codes: 0 good, 1 refused, 2 nothing could be checked (usage, a setting, DIR), 3 not now: run it again.
`

/** Ms that the process may take to end once its verdict is there; a model run that does not end is no reason to wait. */
const END_MS = 5000

/** Runs the check in a process of its own: a model that ends the process has its verdict too. */
async function check(folder: string, address: string | undefined): Promise<Verdict> {
  const entry = fileURLToPath(new URL('./rehearsal.js', import.meta.url))
  const args = address === undefined ? [folder] : [folder, address]
  const child = fork(entry, args, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  let verdict: Verdict | undefined
  let isStopped = false
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      isStopped = true
      child.kill('SIGTERM')
    })
  }
  child.on('message', message => {
    verdict = message as Verdict
    setTimeout(() => void child.kill('SIGKILL'), END_MS).unref()
  })
  let ended: unknown
  try {
    const [code, death] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    ended = death ?? code
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return refusedAs('sandbox_unavailable', `the process for the check cannot be started (${code})`, {
      retryable: true
    })
  }
  if (isStopped && !verdict?.ok) return refusedAs('superseded', 'the check was ended by a signal', { retryable: true })
  return verdict ?? refusedAs('load_failed', `the model ended the process of the check (${ended})`)
}

/** How a verdict begins for people, by its exit code. */
const BEGINNINGS = ['good', 'refused', 'cannot be checked', 'cannot be checked now']

function forPeople(verdict: Verdict): string {
  const { ok, reason, message, name, version, sha256, ignored } = verdict
  const beginning = BEGINNINGS[exitCodeOf(verdict)]
  if (!ok) return `${beginning}: ${reason}: ${message}`
  const beside = ignored.length === 0 ? '' : `; no replica fetches ${ignored.join(', ')}`
  return `${beginning}: ${name} ${version}, sha256 ${sha256}${beside}`
}

function print(verdict: Verdict, json: boolean): void {
  process.exitCode = exitCodeOf(verdict)
  const line = json ? JSON.stringify(verdict) : forPeople(verdict)
  const stream = verdict.ok || json ? process.stdout : process.stderr
  // Names of files may hold anything.
  stream.write(`${line.replaceAll(/\p{Cc}/gu, ' ')}\n`)
}

function readArguments() {
  const options = { json: { type: 'boolean' }, address: { type: 'string' }, help: { type: 'boolean' } } as const
  return parseArgs({ options, allowPositionals: true })
}

async function main(): Promise<void> {
  let given: ReturnType<typeof readArguments>
  try {
    given = readArguments()
  } catch (error) {
    return print(refusedAs('usage', (error as Error).message.split('\n')[0]!), process.argv.includes('--json'))
  }
  const { values, positionals } = given
  if (values.help) return void process.stdout.write(USAGE)
  const [folder, ...more] = positionals
  if (folder === undefined || more.length > 0) {
    return print(refusedAs('usage', 'give one folder of a bundle; --help lists the options'), values.json ?? false)
  }
  print(await check(folder, values.address), values.json ?? false)
}

await main()
