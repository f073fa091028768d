import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { emptyFolder } from '../../host/empty-folder.js'
import { ModelRefused } from '../../errors.js'
import { NO_TELEMETRY } from '../../host/telemetry.js'
import type { BundleFiles } from '../bundle/bundle.js'
import type { Line, Verdict } from './trial.js'

export interface SandboxLimits {
  /** ms from the start of the process; of CPU time twice that, should nobody be left to watch the clock */
  timeoutMs: number
  /** MiB of private memory, Node's own (about 100) included */
  memoryMb: number
  /** rows of a batch at the most, as the service runs them: the trial runs every size up to it */
  batchCap: number
  /** another entry, for who runs from the sources, beside which there is no built one */
  entry?: URL
}

/** The process's entry, beside this file once both are built. */
const ENTRY = new URL('./trial.js', import.meta.url)

/** With what a shell ends that cannot set a limit, or cannot run Node: it has seen nothing of the bundle. */
const NOT_STARTED: (number | string)[] = [2, 126, 127]

/** $1: KiB of private memory; $2: seconds of CPU time. No core files. */
const LIMITED = 'ulimit -c 0; ulimit -d "$1"; ulimit -t "$2"; shift 2; exec "$@"'

/**
 * Loads a bundle and asks for its golden answers in a process of its own, with limits on memory and time. Rejects with
 * `ModelRefused`: what the trial found, `sandbox_oom`, `sandbox_timeout`, `superseded` once `signal` aborts, or
 * `sandbox_unavailable` where the host cannot start the process. It gets nothing of the environment, and is gone when this settles.
 */
export async function runInSandbox(files: BundleFiles, limits: SandboxLimits, signal: AbortSignal): Promise<void> {
  const child = await start(limits)
  const over = { late: false }
  const timer = setTimeout(() => {
    over.late = true
    child.kill('SIGKILL')
  }, limits.timeoutMs)
  const stop = () => void child.kill('SIGKILL')
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    const [output, [code, death]] = await Promise.all([
      text(child.stdout!),
      once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
      send(child, { ...files, batchCap: limits.batchCap })
    ])
    if (signal.aborted) throw new ModelRefused('superseded', 'the trial was ended for a newer promotion or order')
    if (over.late) {
      throw new ModelRefused(
        'sandbox_timeout',
        `the trial took longer than SANDBOX_TIMEOUT_MS (${limits.timeoutMs} ms)`
      )
    }
    judge(output, death ?? code)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

/** Where the process runs: nothing is there that a path in the model could name. */
function folder(): string {
  try {
    return emptyFolder()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ModelRefused('sandbox_unavailable', `no empty folder can be made in TMPDIR for the trial (${code})`)
  }
}

async function start({ timeoutMs, memoryMb, entry = ENTRY }: SandboxLimits): Promise<ChildProcess> {
  const limits = [String(memoryMb * 1024), String(2 * Math.ceil(timeoutMs / 1000))]
  const command = [process.execPath, fileURLToPath(entry)]
  const child = spawn('/bin/sh', ['-c', LIMITED, 'sandbox', ...limits, ...command], {
    env: NO_TELEMETRY,
    cwd: folder(),
    stdio: ['pipe', 'pipe', 'ignore']
  })
  // Without a process there is only the error; not even its streams are sure to be there.
  if (child.pid === undefined) {
    const [{ code }] = (await once(child, 'error')) as [NodeJS.ErrnoException]
    throw new ModelRefused('sandbox_unavailable', `the process for the trial cannot be started (${code})`)
  }
  return child
}

/** A process that dies does not read to the end, which says nothing that its end does not say. */
async function send(child: ChildProcess, order: Line & Pick<BundleFiles, 'model'>): Promise<void> {
  const { model, ...line } = order
  const input = child.stdin!
  input.on('error', () => undefined)
  input.write(`${JSON.stringify(line)}\n`)
  input.end(model)
}

/** A process that ended without a verdict was ended by what it ran into: the limit of its memory, as a rule. */
function judge(output: string, ended: number | string | null): void {
  if (output.endsWith('\n')) {
    const { refused } = JSON.parse(output) as Verdict
    if (refused) throw new ModelRefused(refused.reason, refused.message)
    return
  }
  if (NOT_STARTED.includes(ended ?? '')) {
    throw new ModelRefused('sandbox_unavailable', `the process for the trial could not be set up (${ended})`)
  }
  const memory = ['SIGABRT', 'SIGKILL', 'SIGSEGV', 'SIGTRAP', 134, 137, 139].includes(ended ?? '')
  throw new ModelRefused(memory ? 'sandbox_oom' : 'load_failed', `the trial ended with ${ended} and without a verdict`)
}
