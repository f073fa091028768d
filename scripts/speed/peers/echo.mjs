// The yardstick: Fastify parses the same body and sends it back. No model, no schema, no logger.
import Fastify from 'fastify'

const app = Fastify()
app.post('/predict', (request, reply) => {
  reply.send(request.body)
})
process.stdout.write(`listening at ${await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })}\n`)
