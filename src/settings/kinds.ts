/** A day. A timer beyond 2^31 - 1 ms fires at once, and Node adds a second to the keep-alive time. */
const MAX_TIMER_MS = 86_400_000

/** A whole number; `standard` is what stands when the variable is left out. */
export const integer = (standard: number, minimum: number, maximum: number, description: string) =>
  ({ type: 'integer', default: standard, minimum, maximum, description }) as const

/** A time in milliseconds, a day at the most. */
export const ms = (standard: number, description: string, minimum = 1, maximum = MAX_TIMER_MS) =>
  integer(standard, minimum, maximum, description)

/** Text that a pattern matches. */
export const text = (description: string, pattern: string, standard = '') =>
  ({ type: 'string', default: standard, pattern, description }) as const

/** Text that is not empty. */
export const filled = (description: string, standard: string) =>
  ({ type: 'string', default: standard, minLength: 1, description }) as const

/** `true` or `false`; off unless it is set. */
export const toggle = (description: string) => ({ type: 'boolean', default: false, description }) as const
