/**
 * Runs `work` with a signal that aborts when `signal` does, or `ms` after the start. Resolves or rejects as `work` does; it is for
 * `work` to heed the signal.
 *
 * `AbortSignal.any` with an `AbortSignal.timeout` would be shorter, but does not hold the timeout: once the garbage collector
 * has passed, it never comes (Node 20 to 24, nodejs/node#57736).
 */
export async function withTimeout<Result>(
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>
): Promise<Result> {
  const controller = new AbortController()
  const abort = () => controller.abort(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  const timer = setTimeout(() => controller.abort(new DOMException(`no end within ${ms} ms`, 'TimeoutError')), ms)
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}

/** Resolves or rejects as `work` does, or rejects with the signal's reason as soon as it comes; it is for `work` to end then. */
export async function unlessAborted<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  let abort = (): void => undefined
  const aborted = new Promise<void>(resolve => {
    abort = resolve
  })
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  try {
    await Promise.race([aborted, work])
    signal.throwIfAborted()
    return await work
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
