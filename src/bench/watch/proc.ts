import { readFileSync } from 'node:fs'
import { BenchError } from '../errors.js'
import { cpusIn } from '../../host/cores.js'

/** Clock ticks a second in /proc (USER_HZ): 100 on every Linux that Node runs on, whatever the kernel's own HZ is. */
const TICKS_PER_SECOND = 100

export interface ProcessReading {
  /** user and system time of all its threads since its start, in steps of 10 ms; without its children */
  cpuSeconds: number
  /** resident memory */
  rssBytes: number
  /** its start in clock ticks after boot: with the pid it names a process for good, because pids are used again */
  startTicks: number
}

/**
 * Reads a process from /proc/PID/stat and /proc/PID/status (proc(5)).
 * @throws BenchError `child_died` when there is no such process, or only its exit code is left of it
 */
export function readProcess(pid: number): ProcessReading {
  const stat = read(pid, 'stat')
  // The second field is the command's name in brackets, which may itself hold blanks and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const field = (number: number): number => Number(fields[number - 3])
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(read(pid, 'status'))
  if (!resident) throw gone(pid)
  return {
    cpuSeconds: (field(14) + field(15)) / TICKS_PER_SECOND,
    rssBytes: Number(resident[1]) * 1024,
    startTicks: field(22)
  }
}

/** CPU seconds since boot of the cores that this process may run on. What is neither busy nor stolen was idle. */
export interface HostReading {
  /** cores that were read */
  cores: number
  /** spent on any process or on the kernel, guests included */
  busy: number
  /** taken by the hypervisor for other machines while this one had work */
  steal: number
  total: number
}

/** Reads /proc/stat (proc(5)): two readings of which the differences count. */
export function readHost(file = '/proc/stat', allowed = allowedCpus()): HostReading {
  const lines = readFileSync(file, 'utf8').matchAll(/^cpu(\d+) (.*)$/gm)
  const times = [...lines].flatMap(([, cpu, line]) => (allowed.has(Number(cpu)) ? [timesIn(line!)] : []))
  if (times.length === 0) throw new Error(`${file} has no line of CPU times`)
  const seconds = (of: (each: HostTimes) => number): number =>
    times.reduce((sum, each) => sum + of(each), 0) / TICKS_PER_SECOND
  return {
    cores: times.length,
    busy: seconds(({ busy }) => busy),
    steal: seconds(({ steal }) => steal),
    total: seconds(({ busy, steal, idle }) => busy + steal + idle)
  }
}

/** Of one core, in ticks. */
interface HostTimes {
  busy: number
  steal: number
  idle: number
}

function timesIn(line: string): HostTimes {
  // Guest time, behind these eight, is in `user` and `nice` already.
  const [user, nice, system, idle, iowait, irq, softirq, steal] = line.trim().split(/\s+/).map(Number) as [...Eight]
  return { busy: user + nice + system + irq + softirq, steal, idle: idle + iowait }
}

/** By taskset, or a container's cpuset. */
function allowedCpus(): ReadonlySet<number> {
  const [, list = ''] = /^Cpus_allowed_list:\s+(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return new Set(cpusIn(list))
}

type Eight = [number, number, number, number, number, number, number, number]

/** Shares of all cores, 0 to 1, between two readings. */
export function hostShares(before: HostReading, after: HostReading): { busyShare: number; stealShare: number } {
  const total = after.total - before.total
  const share = (part: number): number => (total > 0 ? part / total : 0)
  return { busyShare: share(after.busy - before.busy), stealShare: share(after.steal - before.steal) }
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    throw gone(pid, error)
  }
}

function gone(pid: number, cause?: unknown): BenchError {
  return new BenchError('child_died', `process ${pid} has ended`, { cause })
}
