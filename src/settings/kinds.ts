/** A day. A timer beyond 2^31 - 1 ms fires at once, and Node adds a second to the keep-alive time. */
const MAX_TIMER_MS = 86_400_000

/** A whole number; `standard` is what stands when the variable is left out. */
export const integer = (standard: number, minimum: number, maximum: number, description: string) =>
  ({ type: 'integer', default: standard, minimum, maximum, description }) as const

/** A time in milliseconds, a day at the most. */
export const ms = (standard: number, description: string, minimum = 1, maximum = MAX_TIMER_MS) =>
  integer(standard, minimum, maximum, description)

/** What a text may be: in words, for people, and as a pattern. The words say nothing of an empty text, which is the usual default. */
export interface Form {
  readonly words: string
  readonly pattern: string
}

/** Text of one form. */
export const text = (description: string, { words, pattern }: Form, standard = '') =>
  ({ type: 'string', default: standard, title: words, pattern, description }) as const

/** A path or a host: any text that the system takes. */
export const ANY: Form = { words: 'text', pattern: '^[^\\u0000]*$' }

/** Text that is not empty. */
export const filled = (description: string, standard: string) =>
  ({ type: 'string', default: standard, minLength: 1, description }) as const

/** `true` or `false`; off unless it is set. */
export const toggle = (description: string) => ({ type: 'boolean', default: false, description }) as const
