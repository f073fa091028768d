import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'

/** What the worker of a faulty build does when it meets one of these levels. */
export const MAGIC = {
  /** the run throws, as onnxruntime does */
  throws: 901,
  /** the thread ends in the middle of a run */
  exits: 902,
  /** the thread's JavaScript heap is full */
  exhausts: 903,
  /** the thread ends, and the first ring's successors cannot open a session while BROKEN_FILE is there */
  breaks: 904,
  /** a value too few comes out */
  shortens: 905,
  /** NaN comes out */
  spoils: 906
} as const

/** Copies the built service into `folder`, with a worker that misbehaves; returns the service's entry. */
export async function buildFaulty(folder: string, worker = 'test/support/faulty-worker.ts'): Promise<string> {
  cpSync('dist', folder, { recursive: true })
  for (const name of readdirSync(folder)) if (name.endsWith('.js.map')) nameSources(join(folder, name))
  await build({
    entryPoints: { worker },
    outdir: folder,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: true,
    logLevel: 'warning'
  })
  return `${folder}/main.js`
}

/** Names the sources of a map so that they are found from wherever the copy lies: its runs count in the coverage. */
function nameSources(file: string): void {
  const map = JSON.parse(readFileSync(file, 'utf8')) as { sources: string[] }
  writeFileSync(file, JSON.stringify({ ...map, sources: map.sources.map(source => resolve('dist', source)) }))
}
