/**
 * Why a benchmark command cannot go on, by exit code: 1 is kept for a finding (a regression, a failed check), 2 is the
 * caller's mistake, 3 a part that is missing or would not start, 4 something that broke under way; 130 and 143 are
 * Ctrl-C and SIGTERM, as shells have it.
 */
const BENCH_ERRORS = {
  bad_flag: 2,
  bad_results: 2,
  different_run: 2,
  in_use: 2,
  not_built: 3,
  program_missing: 3,
  port_in_use: 3,
  start_failed: 3,
  target_down: 4,
  child_died: 4,
  disk: 4
} as const

export type BenchErrorCode = keyof typeof BENCH_ERRORS

/** An end that the user can do something about; its message is one line. */
export class BenchError extends Error {
  override readonly name = 'BenchError'
  readonly code: BenchErrorCode

  constructor(code: BenchErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  get exitCode(): number {
    return BENCH_ERRORS[this.code]
  }
}

/** What a failed request was about, in its own words: fetch puts that into the cause of its error. */
export function reasonOf(error: unknown): string {
  const { cause } = error as Error
  return cause instanceof Error ? cause.message : String((error as Error).message ?? error)
}
