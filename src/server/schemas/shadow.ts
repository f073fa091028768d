import { named, nullable } from './shared.js'

const count = { type: 'integer', minimum: 0 } as const
const none_yet = nullable({ type: 'number' })

/** What `GET /model` says of a shadow beside its model. */
export const ShadowState = {
  alias: { type: 'string' },
  share: { type: 'number', description: 'Of the live rows, that it gets.' },
  comparison: nullable(
    named('ShadowComparison', {
      live_version: { type: 'string', description: 'Version that it is compared with.' },
      idle: {
        ...nullable({ type: 'string', enum: ['same_model', 'other_signature'] }),
        description: 'Why no row is compared; null while they are.'
      },
      rows: named('ComparedRows', {
        compared: count,
        dropped: { ...count, description: 'The shadow had a batch to do already.' },
        failed: { ...count, description: 'It gave no forecast.' }
      }),
      mean_run_seconds: {
        ...named('MeanRunSeconds', { live: none_yet, shadow: none_yet }),
        description: 'Model run of the batch that each compared row was in.'
      },
      differences: {
        type: 'object',
        description: 'By feature, over the compared rows.',
        additionalProperties: named('FeatureDifference', {
          mean_absolute: { ...none_yet, description: 'In raw units.' },
          mean_relative: { ...none_yet, description: "Of the live value, or of the live model's absolute tolerance." },
          max_relative: none_yet
        })
      }
    })
  )
} as const
