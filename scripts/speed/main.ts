import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { quietLibraries } from '../../src/settings/config.js'
import { realBodies } from './bodies.js'
import { cacheStart } from './cache-start.js'
import { expensiveBodies } from './expensive-bodies.js'
import { peers } from './http.js'
import { ring, text } from './in-process.js'
import { coldStart, memory } from './life.js'
import { longForecasts } from './long-forecasts.js'
import { killTargets } from './processes.js'
import { promotion } from './promotion.js'
import { protocols } from './protocols.js'
import { type Figure, holds, table } from './report.js'
import { swaps } from './swaps.js'

/**
 * `npm run speed`: every ratio of docs/benchmarks/speed.md, each measured side by side in this one run. Needs wrk, some ten quiet
 * minutes, and for the promotion what test/servers/install.sh installs. Exits 1 when a bar does not hold.
 */
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '1,50,200,1000,1500,4000' },
    raw: { type: 'string' },
    only: { type: 'string', multiple: true }
  }
})
const rounds = Number(options.rounds)
const seconds = Number(options.seconds)

// The yardsticks too: what they are measured by must not depend on who tells a maker of it.
quietLibraries()
const bodies = realBodies()
const folder = mkdtempSync(join(tmpdir(), 'speed-'))
const file = join(folder, 'bodies.jsonl')
writeFileSync(file, bodies.join('\n'))
process.env.SPEED_BODIES = file

const parts: Record<string, () => Promise<Figure[]>> = {
  peers: () => peers({ rounds, seconds, connections: options.connections.split(',').map(Number), raw: options.raw }),
  protocols: () => protocols(bodies, { rounds, seconds, raw: options.raw }),
  ring: () => ring(bodies, { rounds, seconds }),
  text: () => text(bodies, rounds),
  'expensive-bodies': () => expensiveBodies(rounds),
  'long-forecasts': () => longForecasts(bodies, rounds),
  memory,
  'cold-start': () => coldStart(bodies, rounds),
  'cache-start': () => cacheStart(bodies[0]!, rounds),
  swaps: () => swaps(bodies, rounds),
  promotion: () => promotion(bodies[0]!, rounds)
}

const figures: Figure[] = []
try {
  for (const [name, measure] of Object.entries(parts)) {
    if (options.only && !options.only.includes(name)) continue
    process.stderr.write(`${name} ...\n`)
    figures.push(...(await measure()))
  }
} finally {
  killTargets()
  rmSync(folder, { recursive: true })
}
const { model } = cpus()[0]!
process.stdout.write(
  `${model}, ${cpus().length} cores, Node ${process.version}, ${rounds} rounds of ${seconds} s, median\n\n`
)
process.stdout.write(`${table(figures)}\n`)
process.exitCode = figures.every(holds) ? 0 : 1
