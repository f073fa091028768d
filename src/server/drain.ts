import type { FastifyInstance } from 'fastify'

/** Ms between two looks for connections that have become idle while the server closes. */
const IDLE_LOOK_MS = 25
/** The share of the grace time after which connections that still hold on are cut. */
const CUT_AT = 0.8

/**
 * Closes the listener and waits for what is in flight. `close()` alone waits up to the keep-alive time for a connection
 * whose request was in flight when it was called, and `forceCloseConnections` resets requests: so connections are
 * closed as they become idle, and only towards the end of the grace time whatever they do.
 */
export async function closeGently(app: FastifyInstance, graceMs: number): Promise<void> {
  const idle = setInterval(() => app.server.closeIdleConnections(), IDLE_LOOK_MS)
  const cut = setTimeout(() => app.server.closeAllConnections(), graceMs * CUT_AT)
  try {
    await app.close()
  } finally {
    clearInterval(idle)
    clearTimeout(cut)
  }
}
