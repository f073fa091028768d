// What most services do: a handler that builds a tensor and awaits `session.run` itself, without checks or batching.
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { InferenceSession, Tensor } from 'onnxruntime-node'

const { features, window } = JSON.parse(readFileSync('models/gru/model.json', 'utf8'))
const session = await InferenceSession.create('models/gru/model.onnx', { intraOpNumThreads: 1, interOpNumThreads: 1 })
const app = Fastify()
app.post('/predict', async ({ body }) => {
  const rows = new Float32Array(window * features.length)
  features.forEach(({ name }, feature) => {
    for (let row = 0; row < window; row++) rows[row * features.length + feature] = body.data[name][row]
  })
  const { forecast } = await session.run({ window: new Tensor('float32', rows, [1, window, features.length]) })
  const last = Date.parse(body.data.ts.at(-1))
  const prediction = { ts: new Date(last + 120_000).toISOString(), value: forecast.data[0] }
  features.forEach(({ name }, feature) => {
    prediction[name] = forecast.data[feature]
  })
  return { status: 'SUCCESS', predictions: [prediction] }
})
await app.listen({ port: Number(process.env.PORT) })
process.stdout.write('listening\n')
