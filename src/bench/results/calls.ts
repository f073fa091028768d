import type { Run } from './run.schema.js'

/** How the requests of a run carry windows. */
export interface CallForm {
  /** way in to the service */
  protocol: NonNullable<Run['protocol']>
  /** windows in each call */
  windows: number
}

/** How a run's requests carried windows: one window each to `POST /predict`, where the run says nothing. */
export function callForm({ protocol = 'predict', windows = 1 }: Pick<Run, 'protocol' | 'windows'>): CallForm {
  return { protocol, windows }
}
