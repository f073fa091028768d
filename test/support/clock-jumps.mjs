/** Preloaded into a service (`--import`): each SIGUSR2 sets the wall clock of its main thread to the next of JUMPS, in ms from the true one. */
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  const RealDate = Date
  const jumps = process.env.JUMPS.split(',').map(Number)
  let offset = 0
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      super(...(args.length === 0 ? [RealDate.now() + offset] : args))
    }

    static now() {
      return RealDate.now() + offset
    }
  }
  process.on('SIGUSR2', () => {
    offset = jumps.shift() ?? 0
    console.log(`the clock is ${offset} ms off`)
  })
}
