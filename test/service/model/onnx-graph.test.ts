import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { InferenceSession } from 'onnxruntime-node'
import t from 'tap'
import { type GraphFacts, readGraph } from '../../../src/model/bundle/onnx-graph.js'
import { ONNX } from '../../../src/model/bundle/onnx-schema.js'
import { openSession } from '../../../src/model/inference/worker/onnx-session.js'
import { inspectGraph } from '../../../src/model/bundle/inspect.js'
import { refusedAs } from '../../support/refused.js'
import { mutate, mutation } from '../../support/onnx-mutations.js'
import { OnnxPeers, onnxSchema } from '../../support/onnx-peers.js'
import { TRICKS, WAYS } from '../../support/onnx-tricks.js'
import { putTogether, takeApart } from '../../support/wire.js'

const messages = await onnxSchema()
const modelOf = (folder: string) => readFileSync(`${folder}/model.onnx`)
const GOOD = [
  'models/gru',
  'test/fixtures/bundles/lstm-small',
  'test/fixtures/bundles/slow',
  'test/fixtures/deceivers/good'
]
const good = modelOf('test/fixtures/deceivers/good')

/** The facts, or undefined where the inspector refuses. */
function facts(model: Uint8Array): GraphFacts | undefined {
  try {
    return readGraph(model)
  } catch {
    return undefined
  }
}

/** Operators that a fact stands for, as the `onnx` package names them. */
const plain = ({ operators }: GraphFacts) =>
  [...operators].map(name => name.replace('Dropout.training', 'Dropout')).sort()

t.test('every field of onnx.proto is known, and no other', t => {
  const { TrainingInfoProto, FunctionProto, ...known } = messages
  t.ok(TrainingInfoProto && FunctionProto, 'they are refused unread')
  known.ModelProto = { ...known.ModelProto, 20: 'bytes*', 25: 'bytes*' }
  t.same(ONNX, known)
  t.end()
})

t.test('a model is taken in every way in which exporters write it, and read as the onnx package reads it', async t => {
  const peers = new OnnxPeers(t)
  for (const folder of GOOD) {
    for (const [way, change] of Object.entries(WAYS)) {
      const parts = takeApart(modelOf(folder), messages)
      change(parts)
      const model = putTogether(parts)
      t.doesNotThrow(() => inspectGraph(model), `${folder}, ${way}`)
      const [read, loaded] = [await peers.read(model), await peers.loaded(model)]
      t.ok(loaded, 'onnxruntime takes it')
      t.match(read, { operators: plain(readGraph(model)), external: false })
    }
  }
})

t.test('a model that hides what is in it is refused, however it is written', async t => {
  const peers = new OnnxPeers(t)
  let taken = 0
  for (const [trick, change] of Object.entries(TRICKS)) {
    const parts = takeApart(good, messages)
    change(parts)
    const model = putTogether(parts)
    const loaded = await peers.loaded(model)
    if (loaded) taken++
    t.throws(
      () => inspectGraph(model),
      { name: 'ModelRefused' },
      `${trick}${loaded ? ', which onnxruntime takes' : ''}`
    )
  }
  t.ok(taken > 25, `of ${Object.keys(TRICKS).length} onnxruntime takes ${taken}`)
  t.throws(() => inspectGraph(modelOf('test/fixtures/deceivers/graph-tag-overlong')), refusedAs('load_failed'))
})

t.test('whatever is done to the bytes: what onnxruntime loads is refused, or is what the inspector saw', async t => {
  const peers = new OnnxPeers(t)
  const tricky = Object.values(TRICKS).map(change => {
    const parts = takeApart(good, messages)
    change(parts)
    return putTogether(parts)
  })
  const originals = [...GOOD.slice(1).map(modelOf), ...tricky.filter(model => facts(model))]
  const counts = { refused: 0, refusedThoughLoaded: 0, seen: 0 }
  /** Once in so many draws a number, or else none. */
  const now = (rarely: number) =>
    fc.oneof({ weight: rarely - 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat() })
  const whatever = fc.record({
    original: fc.constantFrom(...originals),
    mutations: fc.array(mutation, { minLength: 1, maxLength: 2 }),
    flip: now(8),
    cut: now(20)
  })
  await fc.assert(
    fc.asyncProperty(whatever, async ({ original, mutations, flip, cut }) => {
      const parts = takeApart(original, messages)
      for (const one of mutations) mutate(parts, one)
      let model = putTogether(parts)
      if (flip !== null && model.length > 0) model[flip % model.length]! ^= 1 << (flip % 8)
      if (cut !== null) model = model.subarray(0, cut % (model.length + 1))
      const [seen, loaded] = [facts(model), await peers.loaded(model)]
      if (!seen) {
        counts.refused++
        if (loaded) counts.refusedThoughLoaded++
        return
      }
      if (!loaded) return
      counts.seen++
      const read = await peers.read(model)
      const names = plain(seen)
      // Constants become initialisers when onnxruntime loads them.
      const held = new Set([...loaded.operators, ...names.filter(name => name === 'Constant')])
      const [what, { inputs, outputs }] = [model.toString('base64'), loaded]
      const expected = {
        operators: read?.operators,
        external: read?.external,
        inputs: read?.inputs,
        outputs: read?.outputs
      }
      t.strictSame({ operators: names, external: seen.externalData, inputs, outputs }, expected, what)
      t.strictSame([...held].sort(), names, what)
      if (!t.passing()) throw new Error('onnxruntime holds another model')
    }),
    { numRuns: 1000 }
  )
  t.comment(JSON.stringify(counts))
  t.ok(counts.seen > 50 && counts.refusedThoughLoaded > 50, JSON.stringify(counts))
})

t.test("a file in onnxruntime's own format is refused by the inspector and by the session", async t => {
  const file = `${t.testdir()}/model.ort`
  const extra = { session: { save_model_format: 'ORT' } }
  await InferenceSession.create(good, { optimizedModelFilePath: file, logSeverityLevel: 4, extra })
  const model = readFileSync(file)
  t.equal(model.toString('latin1', 4, 8), 'ORTM')
  await t.resolves(InferenceSession.create(model, { logSeverityLevel: 4 }), 'left to itself onnxruntime loads it')
  t.throws(() => inspectGraph(model), refusedAs('load_failed'))
  await t.rejects(openSession(model), /protobuf/)
})

t.test('a file of nothing but fields is given up before it takes time or memory', t => {
  const node = Buffer.from([0x0a, 0x00])
  const graph = Buffer.alloc(8_000_000, node)
  const model = putTogether([{ number: 7, wire: 2, body: graph }])
  t.throws(() => readGraph(model), refusedAs('load_failed', /too many fields/))
  const packed = putTogether([
    {
      number: 7,
      wire: 2,
      body: [{ number: 5, wire: 2, body: [{ number: 1, wire: 2, body: Buffer.alloc(4_000_000, 1) }] }]
    }
  ])
  t.throws(() => readGraph(packed), refusedAs('load_failed', /too many numbers/))
  t.end()
})
