/** A sweep that was told to stop, by a signal or on its page: what has been measured stays. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
  /** as shells have it: 128 and the signal's number; 130 for a stop on the page too */
  readonly exitCode: number

  constructor(why: string, exitCode = 130) {
    super(why)
    this.exitCode = exitCode
  }
}
