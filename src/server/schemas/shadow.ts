import { named, nullable } from './shared.js'

const count = { type: 'integer', minimum: 0 } as const
const none_yet = nullable({ type: 'number' })

/** What `GET /model` says of a shadow beside its model. */
export const ShadowState = {
  alias: { type: 'string' },
  share: { type: 'number', description: 'Share of the live rows that the shadow gets.' },
  comparison: nullable(
    named('ShadowComparison', {
      live_version: { type: 'string', description: 'Live version that the shadow is compared with.' },
      idle: {
        ...nullable({ type: 'string', enum: ['same_model', 'other_signature'] }),
        description: 'Why no row is compared; null while rows are compared.'
      },
      rows: named('ComparedRows', {
        compared: { ...count, description: 'Rows that both models forecast.' },
        dropped: { ...count, description: 'Rows left out because the shadow was busy.' },
        failed: { ...count, description: 'Rows for which the shadow gave no forecast.' }
      }),
      mean_run_seconds: {
        ...named('MeanRunSeconds', { live: none_yet, shadow: none_yet }),
        description: 'Mean time of the model runs that computed the compared rows.'
      },
      differences: {
        type: 'object',
        description: 'Differences between both forecasts by feature, over the compared rows.',
        additionalProperties: named('FeatureDifference', {
          mean_absolute: { ...none_yet, description: 'Mean absolute difference in raw units.' },
          mean_relative: {
            ...none_yet,
            description: 'Mean difference relative to the live value, or to the absolute tolerance if that is larger.'
          },
          max_relative: none_yet
        })
      }
    })
  )
} as const
