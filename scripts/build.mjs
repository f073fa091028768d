// Builds the service into dist/: main.js, worker.js and the chunks that they share. Packages stay in node_modules; our
// own forty files become a few, because Node loads an ES module in about three milliseconds (docs/adr/0005).
import { cp, rm } from 'node:fs/promises'
import { build } from 'esbuild'

await rm('dist', { recursive: true, force: true })
await build({
  entryPoints: ['src/server/main.ts', 'src/model/worker.ts'],
  outdir: 'dist',
  entryNames: '[name]',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning'
})
await cp('src/server/page', 'dist/page', { recursive: true, filter: file => !file.endsWith('tsconfig.json') })
