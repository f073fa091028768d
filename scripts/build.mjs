// Builds the service into dist/: main.js, worker.js, trial.js, the check of a bundle (check.js, rehearsal.js) and the chunks that
// they share; the benchmark into dist/bench/. Our own files become a few, and so do the packages that every start needs, because Node takes about three
// milliseconds to load an ES module (docs/adr/0005). All other packages stay in node_modules.
import { cp, rm } from 'node:fs/promises'
import { build } from 'esbuild'

/** What every start needs. Built apart from our files, without maps: the coverage of a service is that of our lines. */
const EAGER = ['ajv', 'fastify', 'pino', 'prom-client']
const EAGER_NAME = new RegExp(`^(${EAGER.join('|')})$`)

const options = {
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning'
}

/** Modules that export what a package exports, by the names that Node itself finds in it. */
const packages = {
  name: 'packages',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: EAGER_NAME }, ({ path, kind }) =>
      kind === 'entry-point' ? { path, namespace: 'package' } : undefined
    )
    onLoad({ filter: EAGER_NAME, namespace: 'package' }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter(name => /^[\w$]+$/.test(name))
      const own = names.filter(name => name !== 'default')
      const lines = [`import * as all from '${path}'`, `export const { ${own.join(', ')} } = all`]
      if (own.length < names.length) lines.push('export default all.default')
      return { contents: lines.join('\n'), resolveDir: '.' }
    })
  }
}

/** Our files find these packages beside them. */
const besideUs = {
  name: 'beside-us',
  setup({ onResolve }) {
    onResolve({ filter: EAGER_NAME }, ({ path }) => ({ path: `./packages/${path}.js`, external: true }))
  }
}

/** Our own files: with maps, and with all other packages outside. */
const ours = { ...options, packages: 'external', sourcemap: true }

await rm('dist', { recursive: true, force: true })
await build({
  ...options,
  entryPoints: Object.fromEntries(EAGER.map(name => [name, name])),
  outdir: 'dist/packages',
  plugins: [packages],
  mainFields: ['module', 'main'],
  // What is no ES module asks for Node's own modules by `require`.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  minifyWhitespace: true,
  legalComments: 'linked',
  // A package may have one file for Node, with a default export, and one for bundlers, without.
  logOverride: { 'import-is-undefined': 'silent' }
})
await build({
  ...ours,
  entryPoints: [
    'src/main.ts',
    'src/model/inference/worker/worker.ts',
    'src/model/promotion/trial.ts',
    'src/check.ts',
    'src/model/promotion/rehearsal.ts'
  ],
  outdir: 'dist',
  entryNames: '[name]',
  plugins: [besideUs]
})
await build({
  ...ours,
  entryPoints: { main: 'src/bench/main.ts', 'load-worker': 'src/bench/load/load-worker.ts' },
  outdir: 'dist/bench'
})
await cp('src/server/ui', 'dist/ui', { recursive: true, filter: file => !file.endsWith('tsconfig.json') })
for (const part of ['report', 'live']) await cp(`src/bench/${part}/ui`, 'dist/bench/ui', { recursive: true })
await cp('src/server/protocols/grpc/proto', 'dist/proto', { recursive: true })
