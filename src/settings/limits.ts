import { integer, ms } from './kinds.js'

/** Settings of the model's workers, and of what one request may ask for. */
export const LimitSettings = {
  WORKERS: integer(1, 1, 64, 'Worker threads that run the model. One worker keeps up with one main thread.'),
  WORKER_HEAP_MB: integer(64, 16, 4096, 'JavaScript heap of a worker, in MiB. The model lies outside this heap.'),
  BATCH_CAP: integer(16, 1, 256, 'Most rows that one model run computes together.'),
  QUEUE_ROWS: integer(
    4096,
    1,
    65_536,
    'Most requests that wait or run at once. A further request is refused with 429.'
  ),
  DEADLINE_MS: ms(
    2000,
    'Time for which a request may wait for the model. After this time the answer is 504. A request that would need more than half of this time is refused at once with 429.'
  ),
  RUN_TIMEOUT_MS: ms(
    10_000,
    'Time for which a batch may run. After this time its requests fail with 503 and the replica turns not ready.',
    100
  ),
  MAX_STEPS: integer(30, 1, 1000, 'Largest `inference_length` of a request: the number of rows to forecast.'),
  MAX_WINDOWS: integer(
    256,
    1,
    4096,
    'Most windows in a call with many, by any protocol. Where half of `QUEUE_ROWS` is less, this half is the most.'
  ),
  MAX_ROWS: integer(1000, 1, 100_000, 'Most rows of the table in a request.'),
  BODY_LIMIT_BYTES: integer(
    327_680,
    1024,
    67_108_864,
    'Largest request body, in bytes. A table of `MAX_ROWS` rows should fit: if it may not, the log warns.'
  )
} as const
