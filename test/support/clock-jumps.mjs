// Loaded into a process before its own code, this makes its wall clock jump at each SIGUSR2: two hours ahead, two hours
// behind, and right again. Clocks that only go forward (`performance`, `process.hrtime`) are as they were.
const HOURS = [2, -2, 0]
const Right = Date
let jumps = 0
let shift = 0

globalThis.Date = class extends Right {
  constructor(...given) {
    if (given.length === 0) super(Right.now() + shift)
    else super(...given)
  }

  static now() {
    return Right.now() + shift
  }
}

process.on('SIGUSR2', () => {
  shift = HOURS[jumps++ % HOURS.length] * 3_600_000
  process.stdout.write(`{"msg":"the clock jumped","jumps":${jumps}}\n`)
})
