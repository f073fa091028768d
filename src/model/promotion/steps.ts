/** The steps of a roll-out in their order, and what each does. Metrics and docs have their list from here. */
export const ROLLOUT_STEPS = {
  resolve: 'asks the model source which version is promoted',
  fetch: 'reads the bundle from the cache, or brings it from the model source',
  open: 'checks the digest, the manifest and the golden answers for their form',
  inspect: 'reads the graph without onnxruntime: its operators, and that no data lie in other files',
  sandbox: 'loads and runs the model in a process of its own, with limits of time and memory',
  load: 'starts the workers, each with a session, and compares their tensors with the manifest',
  golden: 'compares the forecast of each golden window, alone in its batch',
  warm: 'compares golden windows in mixed batches of every size up to `BATCH_CAP`, which warms the sessions',
  drain: 'after the swap: lets requests under way end on the version that they began with'
} as const
export type Step = keyof typeof ROLLOUT_STEPS
export const STEPS = Object.keys(ROLLOUT_STEPS) as Step[]

/** What can give a reason to ask what is promoted. */
export const TRIGGERS = ['poll', 'kafka', 'admin'] as const
export type Trigger = (typeof TRIGGERS)[number]
