// onnxruntime alone on one thread: rows a second at one batch size, the same windows over and over.
import { readFileSync } from 'node:fs'
import { InferenceSession, Tensor } from 'onnxruntime-node'

const [batch, seconds] = process.argv.slice(2).map(Number)
const { windows } = JSON.parse(readFileSync('models/gru/golden.json', 'utf8'))
const { features, window } = JSON.parse(readFileSync('models/gru/model.json', 'utf8'))
const session = await InferenceSession.create('models/gru/model.onnx', { intraOpNumThreads: 1, interOpNumThreads: 1 })
const rows = Float32Array.from(Array.from({ length: batch }, (_, i) => windows[i % windows.length].window).flat(2))
const feeds = { window: new Tensor('float32', rows, [batch, window, features.length]) }
for (let warm = 0; warm < 50; warm++) await session.run(feeds)
const began = performance.now()
let runs = 0
while (performance.now() - began < seconds * 1000) {
  await session.run(feeds)
  runs++
}
process.stdout.write(`${JSON.stringify({ rowsPerSecond: (runs * batch) / ((performance.now() - began) / 1000) })}\n`)
