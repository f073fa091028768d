/** The steps of a rollout in their order, each of which is timed. Metrics have their list from here, and a test holds the docs to it. */
export const STEPS = ['resolve', 'fetch', 'open', 'inspect', 'sandbox', 'load', 'golden', 'warm', 'drain'] as const
export type Step = (typeof STEPS)[number]

/** What can give a reason to ask what is promoted. */
export const TRIGGERS = ['poll', 'kafka', 'admin'] as const
export type Trigger = (typeof TRIGGERS)[number]
