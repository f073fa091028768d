// Loads models with onnxruntime, as the service does but for the optimiser, and says what it made of them: 4 bytes of length and the
// model each on standard input, a line of JSON each on standard output. What it holds afterwards it writes to the file that is
// the first argument, as an ONNX model.
import { rmSync } from 'node:fs'
import { InferenceSession } from 'onnxruntime-node'

const saved = process.argv[2]

async function load(model) {
  rmSync(saved, { force: true })
  try {
    const session = await InferenceSession.create(model, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
      graphOptimizationLevel: 'disabled',
      optimizedModelFilePath: saved,
      extra: process.argv[3] === undefined ? {} : JSON.parse(process.argv[3])
    })
    const { inputNames: inputs, outputNames: outputs } = session
    await session.release()
    return { inputs, outputs }
  } catch (error) {
    return { error: error.message }
  }
}

let waiting = Buffer.alloc(0)
for await (const chunk of process.stdin) {
  waiting = Buffer.concat([waiting, chunk])
  while (waiting.length >= 4 && waiting.length >= 4 + waiting.readUInt32LE(0)) {
    const end = 4 + waiting.readUInt32LE(0)
    const model = Uint8Array.from(waiting.subarray(4, end))
    waiting = waiting.subarray(end)
    process.stdout.write(`${JSON.stringify(await load(model))}\n`)
  }
}
