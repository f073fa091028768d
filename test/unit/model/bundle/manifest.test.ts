import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseGolden, parseManifest, usesMinute } from '../../../../src/model/bundle/manifest.js'
import { checkSignature } from '../../../../src/model/bundle/signature.js'
import { refusedAs } from '../../../support/refused.js'

const MODEL = readFileSync('models/gru/model.json', 'utf8')
const GOLDEN = readFileSync('models/gru/golden.json', 'utf8')
const LSTM = readFileSync('test/fixtures/bundles/lstm-small/model.json', 'utf8')

/** The text with the value at a path replaced; undefined takes it out. */
function change(text: string, path: string, value: unknown): string {
  const root = JSON.parse(text) as Record<string, unknown>
  const keys = path.split('/')
  const last = keys.pop()!
  const parent = keys.reduce((node, key) => node[key] as Record<string, unknown>, root)
  if (value === undefined) delete parent[last]
  else parent[last] = value
  return JSON.stringify(root)
}

const BAD_MANIFESTS: [string, unknown, RegExp][] = [
  ['schema_version', 2, /schema_version/],
  ['name', '../etc', /name/],
  ['version', '', /version/],
  ['run_id', undefined, /run_id/],
  ['features', [], /features/],
  ['features/0/minimum', '0', /features\/0\/minimum/],
  ['features/0/name', 'up', /same name/],
  ['features/3/maximum', -1, /maximum of feature mcs_down/],
  ['target', 'sideways', /target sideways/],
  ['window', 0, /window/],
  ['window', 10.5, /window/],
  ['frequency_seconds', -120, /frequency_seconds/],
  ['sha256', 'ABC', /sha256/],
  ['inputs/0/name', 'rows', /input rows is unknown/]
]

t.test('a manifest that does not hold together is refused and the element named', t => {
  for (const [path, value, words] of BAD_MANIFESTS) {
    t.throws(() => parseManifest(change(MODEL, path, value)), refusedAs('manifest_invalid', words), path)
  }
  t.throws(() => parseManifest('{'), refusedAs('manifest_invalid', /not JSON/))
  t.throws(() => parseManifest('[]'), refusedAs('manifest_invalid'))
  t.end()
})

const BAD_GOLDENS: [string, unknown, RegExp][] = [
  ['windows', [], /windows/],
  ['windows/3/window', [[1]], /windows\/3\/window/],
  ['windows/3/forecast', [1], /windows\/3\/forecast/],
  ['windows/3/time', [], /windows\/3\/time/],
  ['tolerance/relative', 1, /tolerance\/relative/],
  ['tolerance/absolute', [0], /tolerance\/absolute/]
]

t.test('golden answers that do not fit the manifest are refused', t => {
  const manifest = parseManifest(MODEL)
  for (const [path, value, words] of BAD_GOLDENS) {
    t.throws(() => parseGolden(change(GOLDEN, path, value), manifest), refusedAs('golden_invalid', words), path)
  }
  const lstm = parseManifest(LSTM)
  const golden = readFileSync('test/fixtures/bundles/lstm-small/golden.json', 'utf8')
  t.throws(() => parseGolden(change(golden, 'windows/0/minute', undefined), lstm), refusedAs('golden_invalid'))
  t.end()
})

t.test("the graph's tensors must be the manifest's, whatever a dynamic dimension is called", t => {
  const manifest = parseManifest(MODEL)
  const graph = (path?: string, value?: unknown) => {
    const { inputs, outputs } = manifest
    const text = JSON.stringify({ inputs, outputs })
    return JSON.parse(path === undefined ? text : change(text, path, value)) as typeof manifest
  }
  t.doesNotThrow(() => checkSignature(manifest, graph('inputs/0/shape', ['N', 10, 11])))
  const wrong: [string, unknown][] = [
    ['inputs/0/name', 'window2'],
    ['inputs/0/type', 'float64'],
    ['inputs/0/shape', ['batch', 10, 12]],
    ['inputs/0/shape', [1, 10, 11]],
    ['inputs/0/shape', ['batch', 10]],
    ['outputs/0/shape', ['batch', 1]],
    ['outputs', []]
  ]
  for (const [path, value] of wrong) {
    t.throws(
      () => checkSignature(manifest, graph(path, value)),
      refusedAs('signature_mismatch'),
      `${path} ${String(value)}`
    )
  }
  t.throws(() => checkSignature({ ...manifest, window: 9 }, graph()), refusedAs('signature_mismatch'))
  t.end()
})

t.test('only a manifest with the input needs the times', t => {
  t.equal(usesMinute(parseManifest(MODEL)), false)
  t.equal(usesMinute(parseManifest(LSTM)), true)
  t.end()
})
