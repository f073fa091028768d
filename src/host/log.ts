import { type Logger, pino } from 'pino'

/** Bytes of lines that may wait for a reader that is slow; what comes beyond them is left out. */
const MOST_BYTES = 1_048_576
/** Ms that the last lines have to be taken. */
const FLUSH_MS = 1000

export interface Log {
  logger: Logger
  /** resolves when what was logged is written, or cannot be; nothing is logged afterwards */
  end(): Promise<void>
}

/**
 * Log lines of JSON on standard output. The service never waits for who reads them: where the reader is gone or stands still, or
 * the disk is full, lines are lost and nothing else.
 */
export function openLog(level: string): Log {
  const lines = pino.destination({ dest: process.stdout.fd, sync: false, maxLength: MOST_BYTES })
  // After a fatal line and at the end of the process pino would write what is left at once, and try for ever where nobody takes it.
  lines.flushSync = () => undefined
  lines.on('error', () => undefined)
  return {
    logger: pino({ level, base: { pid: process.pid } }, lines),
    end: () =>
      new Promise(resolve => {
        lines.once('close', resolve)
        setTimeout(resolve, FLUSH_MS)
        lines.end()
        lines.write = () => true
      })
  }
}
