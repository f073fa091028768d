import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { freePorts } from '../servers/ports.js'

const run = promisify(execFile)

const HERE = 'test/support/readme'
/** What is installed, and is the same in the copy. */
const INSTALLED = ['node_modules', 'training/.venv-registry']
const LEFT_OUT = /^(\.git|\.services|\.tap|\.env|dist|results|node_modules|training\/\.venv.*)$/
/** Of .services: what a run writes. */
const WRITTEN = /^(run|stores\.env|service\.log|\.lock)$/

/** A checkout in which only the tests of the test run have been: nobody's `.env` or results are touched. */
export function freshCheckout(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gru-readme-'))
  cpSync('.', folder, { recursive: true, filter: source => !LEFT_OUT.test(relative('.', source)) })
  for (const path of INSTALLED) symlinkSync(resolve(path), join(folder, path))
  mkdirSync(join(folder, '.services'))
  for (const name of readdirSync('.services').filter(name => !WRITTEN.test(name))) {
    symlinkSync(resolve('.services', name), join(folder, '.services', name))
  }
  return folder
}

/** The blocks of shell commands of a Markdown text, in order. */
export function shellBlocks(markdown: string): string[] {
  return [...markdown.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block]) => block!)
}

export interface Ran {
  commands: string
  /** what its commands and the servers that it started have printed */
  stdout: string
  stderr: string
  ended: boolean
}

/**
 * Runs blocks in one shell, in `checkout`, one after the other; the service's port is a free one. Ends when one fails, or has
 * not ended within `limitMs`. Whatever they have started in the background is ended then.
 */
export async function runBlocks(blocks: string[], { checkout, limitMs }: { checkout: string; limitMs: number }) {
  const folder = mkdtempSync(join(tmpdir(), 'gru-readme-blocks-'))
  const [port, bench] = (await freePorts(2)).map(String) as [string, string]
  blocks.forEach((block, index) => {
    writeFileSync(join(folder, `${index}.sh`), block.replaceAll(':8080', `:${port}`))
  })
  const { stdout: npm } = await run('bash', ['-c', 'command -v npm'])
  const shell = spawn('bash', [resolve(HERE, 'driver.sh'), folder], {
    cwd: checkout,
    env: {
      HOME: process.env.HOME,
      PATH: `${resolve(HERE, 'bin')}:${process.env.PATH}:/usr/sbin`,
      ...{ REAL_NPM: npm.trim(), PORT: port, BENCH_PORT: bench }
    },
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    // A session of its own, by which all that was started in it is found.
    detached: true
  })
  const closed = once(shell, 'close')
  const hang = () => void endSession(shell.pid!)
  let limit = setTimeout(hang, limitMs)
  let ended = 0
  createInterface({ input: shell.stdio[3] as NodeJS.ReadableStream }).on('line', () => {
    ended++
    clearTimeout(limit)
    limit = setTimeout(hang, limitMs)
  })
  // `close`: what was told last has been read.
  await closed
  clearTimeout(limit)
  await endSession(shell.pid!)
  const ran = blocks.slice(0, ended + 1).map((commands, index): Ran => {
    const read = (kind: string) => readFileSync(join(folder, `${index}.${kind}`), 'utf8')
    return { commands, stdout: read('out'), stderr: read('err'), ended: index < ended }
  })
  rmSync(folder, { recursive: true, force: true })
  return ran
}

/** Ends every process of a session. */
async function endSession(session: number): Promise<void> {
  for (let left = await processesOf(session); left.length > 0; left = await processesOf(session)) {
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch (error) {
        // It ended by itself a moment ago.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
  }
}

/** Ids of a session's processes; those that have ended and wait for their parent are none. */
async function processesOf(session: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,sid=,stat='])
  const rows = stdout.split('\n').map(line => line.trim().split(/\s+/))
  return rows.filter(([, sid, state]) => sid === String(session) && !state!.startsWith('Z')).map(([pid]) => Number(pid))
}
