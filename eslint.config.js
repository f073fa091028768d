import globals from 'globals'
import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'
import tseslint from 'typescript-eslint'

const restrict = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns }] })

/** The rules of docs/adr/0001 and 0017: who may import what, and who may read the environment. */
const onlyOnnxSession = {
  group: ['onnxruntime-node'],
  message: 'only src/model/inference/worker/onnx-session.ts knows onnxruntime'
}
const modelKnowsNoServer = {
  group: ['**/server/**', '**/metrics/**', '**/service.js', 'fastify', '@fastify/*'],
  message: 'the model path knows no HTTP and no metrics'
}
const benchIsAClient = {
  group: ['**/server/**', '**/model/**', '**/metrics/**', '**/settings/**', '**/service.js'],
  message: 'the benchmark talks HTTP, it imports no service'
}
/** Rooms in the order in which each may import those before it, and none behind it. */
const MODEL_ROOMS = ['bundle', 'inference', 'registry', 'promotion', 'shadow']
const SERVER_ROOMS = ['schemas', 'http', 'edge', 'predict', 'protocols', 'routes']
const BENCH_ROOMS = 'results samples watch analysis report stack load cell locust live sweep slo cli'.split(' ')
const behind = (rooms, room) => ({
  group: rooms.slice(rooms.indexOf(room) + 1).map(name => `**/${name}/**`),
  message: `imports go one way: ${rooms.join(' <- ')}`
})
const betweenRooms = (folder, rooms, ...rules) =>
  rooms.slice(0, -1).map(room => ({
    files: [`src/${folder}/${room}/**/*.ts`],
    ignores: ['src/model/inference/worker/onnx-session.ts'],
    rules: restrict(onlyOnnxSession, behind(rooms, room), ...rules)
  }))
/** Files beside the rooms of the benchmark, which every room may import. */
const besideBenchRooms = {
  group: BENCH_ROOMS.slice(1).map(name => `**/${name}/**`),
  message: 'what stands beside the rooms knows the form of the results alone'
}
const groundFloor = {
  group: ['**/server/**', '**/model/**', '**/bench/**', '**/service.js'],
  message: 'settings and host know nothing of what is built on them'
}
const noEnvironment = [
  'error',
  { object: 'process', property: 'env', message: 'only src/settings/config.ts reads the environment' }
]

export default [
  {
    ignores: [...resolveIgnoresFromGitignore(), 'training/', 'examples/typescript/api.d.ts', 'test/fixtures/clients/']
  },
  ...neostandard({ ts: true, noStyle: true }),
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 4],
      complexity: ['error', 16],
      // `void` marks a promise that is not waited for, and names come from JSON that others define.
      'no-void': 'off',
      camelcase: 'off',
      curly: 'off',
      // A schema and the type derived from it share their name.
      '@typescript-eslint/no-redeclare': 'off'
    }
  },
  {
    files: ['src/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error'
    }
  },
  { files: ['src/**/*.ts'], rules: { ...restrict(onlyOnnxSession), 'no-restricted-properties': noEnvironment } },
  {
    // The second reads what npm took of the benchmark's command line, which npm leaves nowhere else.
    files: ['src/settings/config.ts', 'src/bench/cli/swallowed.ts'],
    rules: { 'no-restricted-properties': 'off' }
  },
  { files: ['src/model/**/*.ts'], rules: restrict(onlyOnnxSession, modelKnowsNoServer) },
  ...betweenRooms('model', MODEL_ROOMS, modelKnowsNoServer),
  ...betweenRooms('server', SERVER_ROOMS),
  { files: ['src/settings/**/*.ts', 'src/host/**/*.ts'], rules: restrict(onlyOnnxSession, groundFloor) },
  { files: ['src/model/inference/worker/onnx-session.ts'], rules: restrict(modelKnowsNoServer) },
  { files: ['src/bench/**/*.ts'], rules: restrict(onlyOnnxSession, benchIsAClient) },
  ...betweenRooms('bench', BENCH_ROOMS, benchIsAClient),
  {
    files: ['src/bench/errors.ts', 'src/bench/options.ts'],
    rules: restrict(onlyOnnxSession, benchIsAClient, besideBenchRooms)
  },
  // Long for what they list, not for what they do.
  {
    files: ['src/**/schemas/*.ts', 'src/**/*.schema.ts', 'src/settings/*.ts', 'src/metrics/*.ts'],
    rules: { 'max-lines': 'off' }
  },
  { files: ['test/**/*.ts', 'scripts/**/*.ts', 'experiments/**/*.ts'], rules: { 'max-lines-per-function': 'off' } },
  {
    files: ['src/server/ui/*.js', 'src/bench/*/ui/*.js'],
    languageOptions: { globals: { ...globals.browser, uPlot: 'readonly' } },
    rules: {
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'no-void': 'off',
      camelcase: 'off',
      curly: 'off',
      'new-cap': ['error', { newIsCapExceptions: ['uPlot'] }]
    }
  }
]
