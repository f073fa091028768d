import { readFileSync, writeFileSync } from 'node:fs'

/** Forgets the most that a process has ever had resident (proc(5), clear_refs). */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** The most that a process has had resident since then, in MiB. */
export function peakMb(pid: number): number {
  const kb = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]
  return Number(kb) / 1024
}
