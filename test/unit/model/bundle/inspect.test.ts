import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { RefusalReason } from '../../../../src/errors.js'
import type { BundleFiles } from '../../../../src/model/bundle/bundle.js'
import { inspectGraph } from '../../../../src/model/bundle/inspect.js'
import * as onnx from '../../../support/onnx-bytes.js'
import { rolloutOf } from '../../../support/pool.js'
import { refusedAs } from '../../../support/refused.js'

const promoted = readFileSync('models/gru/model.onnx')
/** The model with more in its graph. */
const withPiece = (piece: number[]) => onnx.grown(promoted, piece)

const BAD: Record<string, [RefusalReason, Buffer]> = {
  'data in a folder above': ['external_data', withPiece(onnx.initializer(onnx.outside('../weights')))],
  'data at an absolute path': ['external_data', withPiece(onnx.initializer(onnx.outside('/dev/zero')))],
  'data beside the model': ['external_data', withPiece(onnx.initializer(onnx.outside('weights.bin')))],
  'data said to be elsewhere, without a place': ['external_data', withPiece(onnx.initializer(onnx.flagged()))],
  'data of a constant': ['external_data', withPiece(onnx.node('Constant', '', onnx.constant(onnx.outside('w'))))],
  'data inside a loop': [
    'external_data',
    withPiece(onnx.node('Loop', '', onnx.body(onnx.initializer(onnx.outside('w')))))
  ],
  'an operator that draws lots': ['operator_not_allowed', withPiece(onnx.node('RandomNormal'))],
  'an operator of another domain': ['operator_not_allowed', withPiece(onnx.node('Add', 'com.example'))],
  'an operator inside a loop': [
    'operator_not_allowed',
    withPiece(onnx.node('Loop', '', onnx.body(onnx.node('If', '', onnx.body(onnx.node('Bernoulli'))))))
  ],
  'an operator inside a function': [
    'operator_not_allowed',
    Buffer.concat([promoted, Buffer.from(onnx.functionOf('Multinomial'))])
  ]
}

t.test('every model that the repository carries is let through', t => {
  for (const folder of ['models/gru', 'test/fixtures/bundles/lstm-small', 'test/fixtures/bundles/slow']) {
    t.doesNotThrow(() => inspectGraph(readFileSync(`${folder}/model.onnx`)), folder)
  }
  t.doesNotThrow(() => inspectGraph(withPiece(onnx.node('Add', 'ai.onnx'))), 'the standard domain by name')
  t.end()
})

t.test('data outside the file and operators that are not allowed are refused, however deep they lie', t => {
  for (const [what, [reason, model]] of Object.entries(BAD)) {
    t.throws(() => inspectGraph(model), refusedAs(reason), what)
  }
  t.throws(
    () => inspectGraph(withPiece(onnx.node('Evil\n{"level":60}'))),
    refusedAs('operator_not_allowed', /operator Evil\?\?\?level/),
    'what it is called cannot forge a log line'
  )
  t.end()
})

t.test('a file that is cut short or no protobuf is refused, never read past its end', t => {
  // Where a cut falls between two fields the rest is a legal protobuf: that is for the digest to see.
  for (let length = 1; length < promoted.length; length += 997) {
    try {
      inspectGraph(promoted.subarray(0, length))
    } catch (error) {
      t.match(error, refusedAs('load_failed'), `${length} bytes`)
    }
  }
  t.throws(() => inspectGraph(promoted.subarray(0, promoted.length >> 1)), refusedAs('load_failed'))
  for (const junk of ['<html>', '\xff'.repeat(64), '\x3a\xff\xff\xff\xff\x0f']) {
    t.throws(() => inspectGraph(Buffer.from(junk, 'latin1')), refusedAs('load_failed'), JSON.stringify(junk))
  }
  let deep = onnx.node('Add')
  for (let level = 0; level < 100; level++) deep = onnx.node('Loop', '', onnx.body(deep))
  t.throws(() => inspectGraph(withPiece(deep)), refusedAs('load_failed', /nested too deeply/))
  t.end()
})

t.test(
  'a rollout of such a model, its digest being right, is refused before it loads and the old one goes on',
  async t => {
    const { active, rollout, source, seen } = rolloutOf('models/gru')
    const first = await rollout.run()
    const ran = seen.batches.length
    for (const [what, [reason, model]] of Object.entries(BAD)) {
      source.change = (files: BundleFiles) => {
        const sha256 = createHash('sha256').update(model).digest('hex')
        return { ...files, model, manifest: JSON.stringify({ ...(JSON.parse(files.manifest) as object), sha256 }) }
      }
      await t.rejects(rollout.run(), refusedAs(reason), what)
      t.match(active.lastPromotion, { outcome: 'refused', reason })
      t.equal(active.serving, first)
    }
    t.equal(seen.batches.length, ran, 'no row was run by a refused model')
    await rollout.close()
  }
)
