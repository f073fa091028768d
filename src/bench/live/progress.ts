import type { WriteStream } from 'node:tty'
import type { LiveState, Snapshot } from './state.js'

/** Takes the cursor to the line's beginning and clears the line (ECMA-48). */
const NEW_LINE = '\r\x1b[K'

/** Shows a sweep on a terminal: one line that is drawn again and again; a line for each cell where it is no terminal. */
export function showProgress(state: LiveState, output: Pick<WriteStream, 'write'> & { isTTY?: boolean }): void {
  const told = new Set<string>()
  state.on('change', () => {
    const snapshot = state.snapshot()
    const ended = snapshot.cells.filter(({ key, status }) => status === 'done' && !told.has(key))
    for (const { key, rps, p99Ms, failurePercent } of ended) {
      told.add(key)
      const p99 = p99Ms === null ? '' : `, P99 ${p99Ms.toFixed(0)} ms`
      const line = `${key}: ${rps?.toFixed(0)} RPS${p99}, ${failurePercent?.toFixed(2)} % failures`
      output.write(`${output.isTTY ? NEW_LINE : ''}${progress(snapshot)}${line}\n`)
    }
    if (!output.isTTY) return
    output.write(snapshot.isFinished ? NEW_LINE : `${NEW_LINE}${now(snapshot)}`)
  })
}

function now(snapshot: Snapshot): string {
  const running = snapshot.cells.find(({ status }) => status === 'warm-up' || status === 'measured interval')
  const second = snapshot.seconds.at(-1)
  const figures = second
    ? `: ${second.good} RPS, P99 ${(second.p99Us / 1000).toFixed(0)} ms${second.failed > 0 ? `, ${second.failed} failed` : ''}`
    : ''
  return `${progress(snapshot)}${running ? `${running.key} ${running.status}${figures}` : 'starting'}`
}

function progress({ cells, done, leftMs }: Snapshot): string {
  return `[${done}/${cells.length}${leftMs === null ? '' : `, ${minutes(leftMs)} left`}] `
}

function minutes(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}
