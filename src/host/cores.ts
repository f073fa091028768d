import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'

/** Where the kernel tells of limits; tests bring their own. */
export interface CoreFiles {
  /** CPUs that this process may run on, by their number */
  affinity: number
  /** as /proc/self/cgroup */
  cgroups: string
  /** text of a file below /sys/fs/cgroup; undefined where there is none */
  read(path: string): string | undefined
}

/**
 * Cores that this process and its children can use: those that it may run on (taskset, a cpuset), and no more than the CPU quota of
 * its control group and of the groups around it (cgroups(7), versions 2 and 1). May be a fraction. What the host has beyond
 * that is another machine's.
 */
export function usableCores(files: CoreFiles = here()): number {
  const quotas = files.cgroups.split('\n').flatMap(line => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (path === undefined) return []
    if (controllers === '') return ancestors(path).map(folder => quotaOf2(files.read(`${folder}/cpu.max`)))
    if (!controllers!.split(',').includes('cpu')) return []
    // Docker mounts the group of version 1 itself at its root.
    return [...ancestors(path), '/'].map(folder => quotaOf1(folder, files))
  })
  return Math.min(files.affinity, ...quotas)
}

/** `max 100000`, or the microseconds of CPU time in so many microseconds. */
function quotaOf2(text: string | undefined): number {
  const [quota, period] = (text ?? '').trim().split(' ').map(Number)
  return quota! > 0 && period! > 0 ? quota! / period! : Infinity
}

function quotaOf1(folder: string, { read }: CoreFiles): number {
  const quota = Number(read(join('/cpu', folder, 'cpu.cfs_quota_us')))
  const period = Number(read(join('/cpu', folder, 'cpu.cfs_period_us')))
  return quota > 0 && period > 0 ? quota / period : Infinity
}

/** A folder and those around it, up to the root. */
function ancestors(path: string): string[] {
  return path === '/' ? ['/'] : [path, ...ancestors(dirname(path))]
}

function here(): CoreFiles {
  const text = (file: string): string | undefined => {
    try {
      return readFileSync(file, 'utf8')
    } catch {
      // No such limit on this host.
      return undefined
    }
  }
  return {
    affinity: availableParallelism(),
    cgroups: text('/proc/self/cgroup') ?? '',
    read: path => text(join('/sys/fs/cgroup', path))
  }
}

/** Numbers of the CPUs in a list such as `0-1,4`, as /proc/self/status has them. */
export function cpusIn(list: string): number[] {
  return list.split(',').flatMap(range => {
    const [first, last = first] = range.split('-').map(Number)
    return Array.from({ length: last! - first! + 1 }, (_, index) => first! + index)
  })
}
