// The yardstick: Fastify as its guide says. A schema for the body, a serialiser for the answer, and always the same forecast of the
// service's size. No model.
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'

const { features, window } = JSON.parse(readFileSync('models/gru/model.json', 'utf8'))
const { windows } = JSON.parse(readFileSync('models/gru/golden.json', 'utf8'))
const names = features.map(({ name }) => name)
const column = type => ({ type: 'array', minItems: window, maxItems: 1000, items: { type } })
const body = {
  type: 'object',
  required: ['data'],
  additionalProperties: false,
  properties: {
    index_col: { type: 'string' },
    inference_length: { type: 'integer', minimum: 1, maximum: 100 },
    data: {
      type: 'object',
      required: ['ts', ...names],
      additionalProperties: false,
      properties: { ts: column('string'), ...Object.fromEntries(names.map(name => [name, column('number')])) }
    }
  }
}
const text = { type: 'string' }
const row = { ts: text, ...Object.fromEntries(['value', ...names].map(name => [name, { type: 'number' }])) }
const answer = {
  type: 'object',
  properties: {
    status: text,
    identifier: text,
    run_id: text,
    model_version: text,
    req_id: text,
    cached: { type: 'boolean' },
    predictions: { type: 'array', items: { type: 'object', properties: row } }
  }
}
const values = names.map((name, feature) => [name, Math.fround(windows[0].forecast[feature])])
const forecast = {
  status: 'SUCCESS',
  identifier: 'gru-traffic',
  run_id: '0123456789abcdef0123456789abcdef',
  model_version: '1',
  req_id: '',
  cached: false,
  predictions: [{ ts: '2018-02-28T06:14:00', value: values[0][1], ...Object.fromEntries(values) }]
}
const app = Fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } } })
app.post('/predict', { schema: { body, response: { 200: answer } } }, async () => forecast)
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1', backlog: 4096 })
process.stdout.write('listening\n')
