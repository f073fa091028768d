const integer = (standard: number, minimum: number, maximum: number, description: string) =>
  ({ type: 'integer', default: standard, minimum, maximum, description }) as const

/** Settings of how a promoted model goes live; a part of the schema in config.ts, which reads them. */
export const PromotionSettings = {
  POLL_INTERVAL_MS: integer(
    30_000,
    0,
    86_400_000,
    'Time between two looks at what is promoted, varied by a fifth; 0 looks only when told, and is the default for `local`.'
  ),
  KAFKA_BROKERS: {
    type: 'string',
    default: '',
    pattern: '^([A-Za-z0-9.-]+:[0-9]{1,5}(,[A-Za-z0-9.-]+:[0-9]{1,5})*)?$',
    description: 'Brokers that tell of promotions, `host:port` with commas between; empty for none.'
  },
  KAFKA_TOPIC: {
    type: 'string',
    default: 'model-promotions',
    pattern: '^[A-Za-z0-9._-]{1,249}$',
    description: 'Topic of the promotion events.'
  },
  RESOLVE_TIMEOUT_MS: integer(5000, 100, 600_000, 'Time that the model source may take to say what is promoted.'),
  SANDBOX_TIMEOUT_MS: integer(
    15_000,
    100,
    600_000,
    'Time that a new model may take to load and to give its golden answers.'
  ),
  SANDBOX_MEMORY_MB: integer(1024, 256, 65_536, 'Memory that it may take for that, in MiB.')
} as const
