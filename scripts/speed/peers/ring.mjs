// The throwaway prototype of the ring: the least that shares batches over shared memory. Rows are refused when the ring is full, and
// nothing else is promised: no admission by time, deadlines, metrics, swaps, request ids, strict input or error texts.
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import Fastify from 'fastify'

const SLOTS = 1024
const PUBLISH_EVERY = 8
const { features, window } = JSON.parse(readFileSync('models/gru/model.json', 'utf8'))
const names = features.map(({ name }) => name)
const width = names.length
const shared = bytes => new SharedArrayBuffer(bytes)
const control = new Int32Array(shared(16)) // published, done, worker asleep, main wants a message
const rows = new Float32Array(shared(4 * SLOTS * window * width))
const forecasts = new Float32Array(shared(4 * SLOTS * width))
const replies = new Array(SLOTS)
const times = new Float64Array(SLOTS)
let written = 0
let published = 0
let collected = 0
let isArmed = false

const worker = new Worker(new URL('./ring-worker.mjs', import.meta.url), {
  workerData: { control, rows, forecasts, slots: SLOTS, values: window * width, width, window }
})
await new Promise(resolve => worker.once('message', resolve))
worker.on('message', turn)

function publish() {
  published = written
  Atomics.store(control, 0, published)
  if (Atomics.load(control, 2) === 1) Atomics.notify(control, 0)
}

function turn() {
  isArmed = false
  if (published !== written) publish()
  const done = Atomics.load(control, 1)
  for (; collected !== done; collected++) {
    const slot = collected % SLOTS
    replies[slot].header('content-type', 'application/json').send(answer(slot))
    replies[slot] = undefined
  }
  if (collected === written) return
  Atomics.store(control, 3, 1)
  if (Atomics.load(control, 1) !== collected) arm()
}

function arm() {
  if (isArmed) return
  isArmed = true
  Atomics.store(control, 3, 0)
  setImmediate(turn)
}

function fill({ index_col: index = 'ts', data }, slot) {
  const ts = data[index]
  const from = ts.length - window
  let last = Date.parse(ts[from])
  let spacing = 0
  for (let row = from + 1; row < ts.length; row++) {
    const time = Date.parse(ts[row])
    if (!(time > last)) throw new Error('times')
    spacing = time - last
    last = time
  }
  for (let feature = 0; feature < width; feature++) {
    const column = data[names[feature]]
    if (column.length !== ts.length) throw new Error('columns')
    for (let row = 0; row < window; row++) {
      const value = column[from + row]
      if (typeof value !== 'number') throw new Error('values')
      rows[(slot * window + row) * width + feature] = value
    }
  }
  times[slot] = last + spacing
}

const HEAD = '{"status":"SUCCESS","identifier":"gru","model_version":"1","predictions":[{"ts":"'
const keys = names.map(name => `,"${name}":`)

function answer(slot) {
  const first = slot * width
  let text = `${HEAD}${new Date(times[slot]).toISOString().slice(0, 19)}","value":${forecasts[first]}`
  for (let feature = 0; feature < width; feature++) text += keys[feature] + forecasts[first + feature]
  return `${text}}]}`
}

const app = Fastify()
app.removeAllContentTypeParsers()
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
  try {
    done(null, JSON.parse(body.latin1Slice()))
  } catch (error) {
    done(error)
  }
})
app.post('/predict', ({ body }, reply) => {
  if (written - collected >= SLOTS) {
    reply.code(429).send()
    return
  }
  const slot = written % SLOTS
  fill(body, slot)
  replies[slot] = reply
  written++
  if (written - published >= PUBLISH_EVERY) publish()
  arm()
})
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1', backlog: 4096 })
process.stdout.write('listening\n')
