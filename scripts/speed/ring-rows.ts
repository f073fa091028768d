import { realBodies } from './bodies.js'
import { openPool, ringRowsPerSecond } from './ring.js'

/** `ring-rows SECONDS`: rows a second through the ring after a second of warm-up, as one line of JSON. */
const seconds = Number(process.argv[2])
const opened = await openPool()
await ringRowsPerSecond(opened, realBodies(), 1)
const rowsPerSecond = await ringRowsPerSecond(opened, realBodies(), seconds)
await opened.pool.close()
process.stdout.write(`${JSON.stringify({ rowsPerSecond })}\n`)
