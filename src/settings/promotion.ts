import { type Form, integer, ms, text } from './kinds.js'

const BROKERS: Form = {
  words: '`host:port`, with commas between',
  pattern: '^([A-Za-z0-9.-]+:[0-9]{1,5}(,[A-Za-z0-9.-]+:[0-9]{1,5})*)?$'
}
const TOPIC: Form = { words: 'up to 249 letters, digits, `.`, `_` or `-`', pattern: '^[A-Za-z0-9._-]{1,249}$' }

/** Settings of how a promoted model goes live. */
export const PromotionSettings = {
  POLL_INTERVAL_MS: ms(
    30_000,
    'Time between two polls of the model source, varied by a fifth. 0 turns polling off. With `MODEL_SOURCE=local` the default is 0.',
    0
  ),
  KAFKA_BROKERS: text('Kafka brokers with the promotion events. Empty for no events.', BROKERS),
  KAFKA_TOPIC: text('Kafka topic of the promotion events.', TOPIC, 'model-promotions'),
  RESOLVE_TIMEOUT_MS: ms(5000, 'Time for the model source to name the promoted version.', 100, 600_000),
  SANDBOX_TIMEOUT_MS: ms(
    15_000,
    'Time for the trial of a new model: loading the model and computing the golden answers.',
    100,
    600_000
  ),
  SANDBOX_MEMORY_MB: integer(1024, 256, 65_536, 'Memory that the trial of a new model may take, in MiB.')
} as const
