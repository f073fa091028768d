import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { BundleFiles } from '../../src/model/bundle/bundle.js'
import type { Verdict } from '../../src/model/promotion/verdict.js'

/** A check that has been started, and how it will have ended. */
export interface Check {
  pid: number
  kill(signal: NodeJS.Signals): void
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>
}

/** Starts the built command, with nothing in its environment but `env`. */
export function startCheck(args: string[], env: Record<string, string> = {}): Check {
  const { NODE_V8_COVERAGE } = process.env
  const child = spawn(process.execPath, ['dist/check.js', ...args], {
    env: { PATH: process.env.PATH, ...(NODE_V8_COVERAGE !== undefined && { NODE_V8_COVERAGE }), ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const ended = async () => {
    const [[code], stdout, stderr] = await Promise.all([
      once(child, 'close') as Promise<[number | null]>,
      text(child.stdout),
      text(child.stderr)
    ])
    return { code, stdout, stderr }
  }
  return { pid: child.pid!, kill: signal => void child.kill(signal), ended: ended() }
}

/** Runs it with `--json` to its end; gives the exit code and the object. Throws where it prints anything else. */
export async function checked(args: string[], env?: Record<string, string>): Promise<[number | null, Verdict]> {
  const { code, stdout, stderr } = await startCheck(['--json', ...args], env).ended
  if (stderr !== '' || stdout.trim().split('\n').length !== 1) throw new Error(`${stderr}${stdout}`)
  return [code, JSON.parse(stdout) as Verdict]
}

/** Writes a bundle's files into a folder, which is made, and gives it back. */
export function written(folder: string, { manifest, golden, model }: BundleFiles): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}/model.json`, manifest)
  writeFileSync(`${folder}/golden.json`, golden)
  writeFileSync(`${folder}/model.onnx`, model)
  return folder
}
