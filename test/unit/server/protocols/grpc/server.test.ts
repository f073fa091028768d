import { createRequire } from 'node:module'
import t from 'tap'
import { wired } from '../../../../support/wired.js'

/** Whether a module of gRPC's library has been loaded into this process. */
function isLoaded(): boolean {
  const { cache } = createRequire(import.meta.url)
  return Object.keys(cache).some(file => file.includes('/@grpc/grpc-js/'))
}

t.test('what speaks gRPC is loaded only where GRPC_PORT is set', async t => {
  await wired(t)
  t.equal(isLoaded(), false)
  await wired(t, { GRPC_PORT: '0' })
  t.equal(isLoaded(), true)
})
