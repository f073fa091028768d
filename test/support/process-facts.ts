import { readdirSync, readFileSync } from 'node:fs'

/** Open file descriptors of a process: each connection is one. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** Resident memory of a process in MiB. */
export function residentMb(pid: number): number {
  const kb = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]
  return Number(kb) / 1024
}

/** Process ids of the children that a process has now, the ended but not yet collected ones too. */
export function childrenOf(pid: number): string[] {
  const threads = readdirSync(`/proc/${pid}/task`)
  return threads
    .flatMap(thread => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '))
    .filter(Boolean)
}
