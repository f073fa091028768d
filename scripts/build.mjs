// Builds the service into dist/: main.js, worker.js, trial.js and the chunks that they share; the benchmark into
// dist/bench/. Packages stay in node_modules; our own files become a few, because Node loads an ES module in about three
// milliseconds (docs/adr/0005).
import { cp, rm } from 'node:fs/promises'
import { build } from 'esbuild'

await rm('dist', { recursive: true, force: true })
const options = {
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning'
}
await build({
  ...options,
  entryPoints: ['src/server/main.ts', 'src/model/worker.ts', 'src/model/promotion/trial.ts'],
  outdir: 'dist',
  entryNames: '[name]'
})
await build({
  ...options,
  entryPoints: { main: 'src/bench/main.ts', 'load-worker': 'src/bench/load/worker.ts' },
  outdir: 'dist/bench'
})
await cp('src/server/page', 'dist/page', { recursive: true, filter: file => !file.endsWith('tsconfig.json') })
for (const part of ['report', 'live']) await cp(`src/bench/${part}/page`, 'dist/bench/page', { recursive: true })
