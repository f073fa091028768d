import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import os from 'node:os'
import { promisify } from 'node:util'
import type { Run } from './run.schema.js'
import { usableCores } from '../../host/cores.js'

/** What this machine cannot know by itself. */
export type Given = Pick<
  Run['fingerprint'],
  'haproxy' | 'balance' | 'maxconn' | 'modelDigest' | 'modelVersion' | 'payloadDigest'
>

const run = promisify(execFile)

/** Gathers what decides about the figures of a run: machine, versions, model, payload, commit. */
export async function gatherFingerprint(given: Given): Promise<Run['fingerprint']> {
  const cpus = os.cpus()
  const [commit, changes] = await Promise.all([
    git('rev-parse', 'HEAD'),
    git('status', '--porcelain', '--', ':!results')
  ])
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: usableCores(),
    memoryBytes: os.totalmem(),
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
    onnxruntime: onnxruntimeVersion(),
    ...given,
    commit,
    dirty: changes !== null && changes !== ''
  }
}

/** Of the package that the replicas of this checkout run; its code is not loaded. */
function onnxruntimeVersion(): string {
  const require = createRequire(import.meta.url)
  return (require('onnxruntime-node/package.json') as { version: string }).version
}

/** What git prints; null where there is no git, or no checkout. */
async function git(...args: string[]): Promise<string | null> {
  try {
    return (await run('git', args)).stdout.trim()
  } catch {
    return null
  }
}
