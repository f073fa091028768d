// Builds the service into dist/: main.js, worker.js, trial.js and the chunks that they share; the benchmark into
// dist/bench/. Files become few, because Node loads an ES module in about three milliseconds (docs/adr/0005).
import { cp, rm } from 'node:fs/promises'
import { build } from 'esbuild'

await rm('dist', { recursive: true, force: true })
const options = {
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning'
}
// What every start needs is in the bundle. What is native, or loaded only when it is asked for, stays in node_modules.
await build({
  ...options,
  entryPoints: ['src/server/main.ts', 'src/model/worker.ts', 'src/model/promotion/trial.ts'],
  external: ['onnxruntime-node', '@fastify/swagger', '@fastify/swagger-ui', '@aws-sdk/client-s3', 'kafkajs'],
  // Its other build asks for its parts in a way that cannot be followed.
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
  // Packages in CommonJS ask for Node's own modules by `require`, which a module has not.
  banner: {
    js: "import { createRequire as toRequire } from 'node:module'; const require = toRequire(import.meta.url);"
  },
  outdir: 'dist',
  entryNames: '[name]'
})
await build({
  ...options,
  packages: 'external',
  entryPoints: { main: 'src/bench/main.ts', 'load-worker': 'src/bench/load/worker.ts' },
  outdir: 'dist/bench'
})
await cp('src/server/page', 'dist/page', { recursive: true, filter: file => !file.endsWith('tsconfig.json') })
for (const part of ['report', 'live']) await cp(`src/bench/${part}/page`, 'dist/bench/page', { recursive: true })
