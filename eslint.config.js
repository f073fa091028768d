import globals from 'globals'
import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'
import tseslint from 'typescript-eslint'

/** The rules of docs/adr/0001: who may import what, and who may read the environment. */
const onlyOnnxSession = {
  group: ['onnxruntime-node'],
  message: 'only src/model/inference/worker/onnx-session.ts knows onnxruntime'
}
const modelKnowsNoServer = { group: ['**/server/**', 'fastify', '@fastify/*'], message: 'the model path knows no HTTP' }
const benchIsAClient = {
  group: ['**/server/**', '**/model/**'],
  message: 'the benchmark talks HTTP, it imports no service'
}
const noEnvironment = [
  'error',
  { object: 'process', property: 'env', message: 'only src/settings/config.ts reads the environment' }
]

const restrict = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns }] })

export default [
  { ignores: [...resolveIgnoresFromGitignore(), 'training/', 'examples/typescript/api.d.ts'] },
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
  { files: ['src/settings/config.ts'], rules: { 'no-restricted-properties': 'off' } },
  { files: ['src/model/**/*.ts'], rules: restrict(onlyOnnxSession, modelKnowsNoServer) },
  { files: ['src/model/inference/worker/onnx-session.ts'], rules: restrict(modelKnowsNoServer) },
  { files: ['src/bench/**/*.ts'], rules: restrict(onlyOnnxSession, benchIsAClient) },
  { files: ['test/**/*.ts', 'scripts/**/*.ts'], rules: { 'max-lines-per-function': 'off' } },
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
