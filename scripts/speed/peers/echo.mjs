// The yardstick: Fastify parses the same body and sends it back. No model, no schema, no logger.
import Fastify from 'fastify'

const app = Fastify()
app.post('/predict', (request, reply) => {
  reply.send(request.body)
})
await app.listen({ port: Number(process.env.PORT) })
process.stdout.write('listening\n')
