import type { TestBundle } from './bundles.js'
import { callers } from './callers.js'
import type { Ledger } from './ledger.js'
import type { RawSocket } from './raw-socket.js'

const TRICKLE_MS = 100

/** Sends `bytes` one at a time, slowly, whatever comes back; stops when the connection is gone. */
export function trickle({ socket }: RawSocket, bytes: string): void {
  let at = 0
  const timer = setInterval(() => void socket.write(bytes[at++ % bytes.length]!), TRICKLE_MS)
  socket.once('close', () => clearInterval(timer))
}

/** Forecasts one after the other until `done` settles: what everybody else sees meanwhile. */
export async function othersUntil(ledger: Ledger, bundle: TestBundle, done: Promise<unknown>): Promise<void> {
  const others = callers(ledger, bundle, 1)
  await done.finally(() => others.stop())
}
