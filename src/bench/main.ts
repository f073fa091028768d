import { parseCommand } from './cli/cli.js'
import { runCommand } from './cli/commands.js'
import { refuseSwallowed } from './cli/swallowed.js'
import { Stopped } from './cli/stop.js'
import { BenchError } from './errors.js'

/** Of a defect of ours: everything else that can go wrong has an exit code of its own. */
const DEFECT = 70

const stopping = new AbortController()
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143]
] as const) {
  process.on(signal, () => {
    // Who asks twice does not want to wait: what was started ends with this process.
    if (stopping.signal.aborted) process.exit(exitCode)
    stopping.abort(new Stopped(`stopped by ${signal}`, exitCode))
  })
}

try {
  const args = process.argv.slice(2)
  refuseSwallowed(args)
  const command = parseCommand(args, new Date())
  if (command.name === 'help') console.log(command.text.trimEnd())
  else process.exitCode = await runCommand(command, { args, stopping })
} catch (thrown) {
  // What fails because of a stop says that it was aborted; the stop says why.
  const error: unknown = stopping.signal.aborted ? stopping.signal.reason : thrown
  const isExpected = error instanceof BenchError || error instanceof Stopped
  console.error(isExpected ? `bench: ${error.message}` : error)
  process.exitCode = isExpected ? error.exitCode : DEFECT
}
