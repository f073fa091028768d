import { startLoad } from '../../src/bench/load/generator.js'

// A process that runs a load against the URL it is given, says who its load workers are, and waits to be ended.
const load = await startLoad({
  url: process.argv[2]!,
  ...{ users: 2, loadWorkers: 2, thinkMs: 0, bodies: ['{}'], checkEvery: 50, seed: 1, timeoutMs: 1000 }
})
process.stdout.write(`${JSON.stringify(load.pids)}\n`)
