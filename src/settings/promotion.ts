import { integer, ms, text } from './kinds.js'

/** Settings of how a promoted model goes live. */
export const PromotionSettings = {
  POLL_INTERVAL_MS: ms(
    30_000,
    'Time between two polls of the model source, varied by a fifth. 0 turns polling off, and is the default for `local`.',
    0
  ),
  KAFKA_BROKERS: text(
    'Brokers with the promotion events, `host:port` with commas between. Empty for none.',
    '^([A-Za-z0-9.-]+:[0-9]{1,5}(,[A-Za-z0-9.-]+:[0-9]{1,5})*)?$'
  ),
  KAFKA_TOPIC: text('Topic of the promotion events.', '^[A-Za-z0-9._-]{1,249}$', 'model-promotions'),
  RESOLVE_TIMEOUT_MS: ms(5000, 'Time the model source may take to name the promoted version.', 100, 600_000),
  SANDBOX_TIMEOUT_MS: ms(
    15_000,
    'Time the trial of a new model may take: loading it and computing its golden answers.',
    100,
    600_000
  ),
  SANDBOX_MEMORY_MB: integer(1024, 256, 65_536, 'Memory the trial of a new model may take, in MiB.')
} as const
