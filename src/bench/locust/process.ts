import { BenchError } from '../errors.js'
import { Child } from '../stack/child.js'
import { type ProcessReading, readProcess } from '../watch/proc.js'
import type { Report, WholeReport, IntervalReport } from './reports.js'

/** Ms in which a Locust process has ended that was asked to. */
const GRACE_MS = 5000

/** What one load worker measured, which cuts the interval by its own clock. */
export interface LocustWorkerInterval {
  /** ms since the epoch */
  from: number
  to: number
  cpuSeconds: number
  rssBytes: number
  /** good answers in each part of the warm-up */
  warmUp: number[]
  interval: IntervalReport
  whole: WholeReport
}

export type Edge = 'begins' | 'ends'

export interface LocustProcessOptions {
  /** `master`, `load worker 1`, … */
  name: string
  program: string
  args: string[]
  /** instead of the user's home, where settings of Locust may lie */
  home: string
  onLog?: ((line: string) => void) | undefined
  /** its interval has just begun or ended */
  onEdge?: ((edge: Edge) => void) | undefined
}

/** The master or one load worker. */
export class LocustProcess {
  readonly #name: string
  readonly #child: Child
  readonly #onEdge: LocustProcessOptions['onEdge']
  /** the first error of Locust's log: those behind it follow from it */
  #complaint = ''
  #first: { reading: ProcessReading; time: number; warmUp: number[] } | undefined
  #last: { reading: ProcessReading; time: number; interval: IntervalReport } | undefined
  #whole: WholeReport | undefined

  constructor({ name, program, args, home, onLog, onEdge }: LocustProcessOptions) {
    this.#name = `Locust's ${name}`
    this.#onEdge = onEdge
    this.#child = new Child({
      name: this.#name,
      command: program,
      args,
      env: { HOME: home, PYTHONUNBUFFERED: '1' },
      onLine: line => {
        onLog?.(`${name}: ${line}`)
        if (line.startsWith('{"bench":')) this.#hear(JSON.parse(line) as Report)
        else if (/\/(ERROR|CRITICAL)\/|error:/.test(line))
          this.#complaint ||= line.replace(/^.*\/(ERROR|CRITICAL)\//, '')
      }
    })
  }

  /** Resolves when it has ended by itself. @throws BenchError `child_died` when it did not end well */
  async ended(): Promise<void> {
    const code = await this.#child.exit
    if (code === 0) return
    const last = this.#complaint || this.#child.lastLine || 'no output'
    throw new BenchError('child_died', `${this.#name} ended with ${code}: ${last}`)
  }

  /** Resolves to what a load worker measured when it has ended. @throws BenchError `child_died` without a whole interval */
  async measured(): Promise<LocustWorkerInterval> {
    await this.ended()
    const [first, last, whole] = [this.#first, this.#last, this.#whole]
    if (!first || !last || !whole) {
      throw new BenchError('child_died', `${this.#name} ended before its interval was over`)
    }
    const cpuSeconds = last.reading.cpuSeconds - first.reading.cpuSeconds
    const { rssBytes } = last.reading
    return {
      from: first.time,
      to: last.time,
      cpuSeconds,
      rssBytes,
      warmUp: first.warmUp,
      interval: last.interval,
      whole
    }
  }

  stop(): Promise<void> {
    return this.#child.stop(GRACE_MS)
  }

  #hear(report: Report): void {
    if (report.bench === 'whole') {
      this.#whole = report
      return
    }
    const reading = readAlive(this.#child.pid)
    if (!reading) return
    const time = Date.now()
    if (report.bench === 'interval-begins') this.#first = { reading, time, warmUp: report.warmUp }
    else this.#last = { reading, time, interval: report }
    this.#onEdge?.(report.bench === 'interval-begins' ? 'begins' : 'ends')
  }
}

/** A process that ended right after its last line has no figures any more; its exit code says why. */
function readAlive(pid: number): ProcessReading | undefined {
  try {
    return readProcess(pid)
  } catch (error) {
    if (error instanceof BenchError) return undefined
    throw error
  }
}
