import type { FromSchema } from 'json-schema-to-ts'
import { PlannedCellSchema } from './cell.schema.js'

const text = { type: 'string' } as const
const unknownOrText = { type: ['string', 'null'] } as const

/** `run.json`: what a run was, so that its figures can be judged and its sweep be resumed. Written before the first cell. */
export const RunSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['schema', 'startedAt', 'quick', 'generator', 'seed', 'args', 'target', 'steps', 'plan', 'fingerprint'],
  properties: {
    schema: { type: 'integer', enum: [1] },
    /** ISO 8601, UTC */
    startedAt: text,
    quick: { type: 'boolean' },
    generator: { type: 'string', enum: ['autocannon', 'locust'] },
    seed: { type: 'integer' },
    /** the words of the command line after `npm run bench --` */
    args: { type: 'array', items: text },
    /** the URL of a target that was there already; null for our own stack */
    target: unknownOrText,
    /** `inference_length` of every body */
    steps: { type: 'integer' },
    /** way in to the service; missing where it was `predict`, as are the windows */
    protocol: { type: 'string', enum: ['predict', 'batch', 'v2-json', 'v2-binary'] },
    /** windows in each call */
    windows: { type: 'integer', minimum: 1 },
    /** every cell in the order in which it is run */
    plan: { type: 'array', items: PlannedCellSchema },
    fingerprint: {
      type: 'object',
      additionalProperties: false,
      required: [
        'cpu',
        'cores',
        'memoryBytes',
        'kernel',
        'node',
        'onnxruntime',
        'haproxy',
        'modelDigest',
        'modelVersion',
        'payloadDigest',
        'commit',
        'dirty'
      ],
      properties: {
        cpu: text,
        cores: { type: 'number' },
        memoryBytes: { type: 'integer' },
        kernel: text,
        node: text,
        onnxruntime: text,
        /** null where no HAProxy of ours is in the path */
        haproxy: unknownOrText,
        /** HAProxy's `balance`; not there in runs of before it could be chosen, which had leastconn */
        balance: unknownOrText,
        /** concurrent requests that HAProxy allowed to a replica; missing in earlier runs, which allowed 64 */
        maxconn: unknownOrText,
        modelDigest: text,
        modelVersion: text,
        /** sha256 of the bodies, in their order */
        payloadDigest: text,
        /** null outside a git checkout */
        commit: unknownOrText,
        /** whether the checkout had uncommitted changes */
        dirty: { type: 'boolean' }
      }
    }
  }
} as const
export type Run = FromSchema<typeof RunSchema>
