// The least that any such service must load before it can answer.
import Fastify from 'fastify'
import { InferenceSession } from 'onnxruntime-node'

Fastify()
await InferenceSession.create('models/gru/model.onnx', { intraOpNumThreads: 1, interOpNumThreads: 1 })
process.stdout.write('ready\n')
process.exit(0)
