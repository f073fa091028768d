import t from 'tap'
import { ServiceError } from '../../../../src/errors.js'
import { refusalUnparsed, stepsWritten } from '../../../../src/server/predict/admission.js'
import type { ServingModel } from '../../../../src/model/promotion/active-model.js'
import type { Context } from '../../../../src/server/context.js'

const MAX_STEPS = 30
const REFUSED = new ServiceError('queue_full', 'too much work is waiting')

/** A context whose pool takes on forecasts of at most so many steps, and the refusals that were counted. */
function busy(longest: number) {
  const refused: string[] = []
  const backlog = { endsInTime: (steps: number) => steps <= longest }
  const pool = { backlog, refusal: (steps: number) => (steps <= longest ? undefined : REFUSED) }
  const context = {
    config: { MAX_STEPS, DEADLINE_MS: 1000 },
    metrics: { refused: (code: string) => refused.push(code) }
  } as unknown as Context
  const model = { pool } as unknown as ServingModel
  return { refused, refusal: (text: string) => refusalUnparsed(context, model, Buffer.from(text)) }
}

const data = '{"ts":["2020-01-01T00:00:00"],"down":[1.5]}'

t.test('the steps are what JSON.parse finds in every valid body, however it is written', t => {
  const spaces = ['', ' ', '\n\t', '\r\n  ']
  for (const steps of [1, 2, 9, 10, 30, 999]) {
    for (const space of spaces) {
      const field = `"inference_length"${space}:${space}${steps}${space}`
      for (const text of [`{${field},"data":${data}}`, `{"data":${data}${space},${space}${field}}`, `{${field}}`]) {
        t.equal(stepsWritten(Buffer.from(text)), JSON.parse(text).inference_length, text)
      }
    }
  }
  t.end()
})

t.test('what the bytes do not say is left to the parser', t => {
  for (const written of ['"3"', '3.5', '3e0', '-3', '30000', 'null', '[3]', `${' '.repeat(40)}3`]) {
    t.equal(stepsWritten(Buffer.from(`{"inference_length":${written},"data":${data}}`)), 1, written)
  }
  t.equal(stepsWritten(Buffer.from(`{"inference\\u005flength":3,"data":${data}}`)), 1)
  t.equal(stepsWritten(Buffer.from(`{"data":${data}}`)), 1)
  t.equal(stepsWritten(Buffer.from('"inference_length"')), 1)
  t.end()
})

t.test('a forecast that would not end in time is refused unparsed, and counted once', t => {
  const { refusal, refused } = busy(10)
  t.equal(refusal(`{"inference_length":11,"data":${data}}`), REFUSED)
  t.same(refused, ['queue_full'])
  for (const steps of [1, 10, 31, 0]) t.equal(refusal(`{"inference_length":${steps},"data":${data}}`), undefined)
  t.same(refused, ['queue_full'], 'what fits, and what no schema allows, is left to the parser and the schema')
  t.end()
})

t.test('while everything would end in time no body is looked at', t => {
  const { refusal, refused } = busy(MAX_STEPS)
  t.equal(refusal(`{"inference_length":30,"data":${data}}`), undefined)
  t.same(refused, [])
  t.end()
})
