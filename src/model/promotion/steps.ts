/** The steps of a roll-out, each of which is timed. */
export const STEPS = ['resolve', 'fetch', 'open', 'inspect', 'sandbox', 'load', 'golden', 'warm', 'drain'] as const
export type Step = (typeof STEPS)[number]

/** What can give a reason to ask what is promoted. */
export const HINTS = ['poll', 'kafka', 'admin'] as const
export type Hint = (typeof HINTS)[number]
