import type { App } from './app.js'

/** Ms between two looks for connections that have become idle while the server closes. */
const IDLE_LOOK_MS = 25
/** The share of the grace time after which connections that still hold on are cut. */
const CUT_AT = 0.8

/**
 * Closes the listener and waits for what is in flight. `close()` alone waits up to the keep-alive time for a connection
 * whose request was in flight when it was called, and `forceCloseConnections` resets requests: so connections are
 * closed as they become idle, and only towards the end of the grace time whatever they do. The operators' listener is last:
 * who watches the drain sees it to its end.
 */
export async function closeGently({ app, operators, grpc }: App, graceMs: number): Promise<void> {
  let closing = app.server
  const idle = setInterval(() => closing.closeIdleConnections(), IDLE_LOOK_MS)
  const cut = setTimeout(() => {
    app.server.closeAllConnections()
    operators?.closeAllConnections()
    grpc?.cut()
  }, graceMs * CUT_AT)
  try {
    await Promise.all([app.close(), grpc?.close()])
    if (!operators) return
    closing = operators
    await new Promise(resolve => operators.close(resolve))
  } finally {
    clearInterval(idle)
    clearTimeout(cut)
  }
}
