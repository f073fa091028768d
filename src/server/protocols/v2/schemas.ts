import type { FromSchema } from 'json-schema-to-ts'
import { usesMinute } from '../../../model/bundle/manifest.js'
import { parseTime } from '../../../model/inference/timestamps.js'
import { type Example, rowsOf } from '../../schemas/example.js'
import { named } from '../../schemas/shared.js'

const text = { type: 'string' } as const

const InputTensor = {
  title: 'V2InputTensor',
  type: 'object',
  required: ['name', 'shape', 'datatype'],
  properties: {
    name: { ...text, description: 'Name of an input of the model, as its metadata has it.' },
    shape: { type: 'array', items: { type: 'integer' }, description: 'Sizes of the tensor, the windows first.' },
    datatype: text,
    parameters: {
      type: 'object',
      properties: {
        binary_data_size: {
          type: 'integer',
          minimum: 0,
          description: 'Number of bytes of this tensor behind the JSON, where data is left out.'
        }
      }
    },
    data: { type: 'array', items: {}, description: 'The values, nested as the shape says or flat.' }
  }
} as const

const WantedOutput = {
  title: 'V2WantedOutput',
  type: 'object',
  required: ['name'],
  properties: {
    name: text,
    parameters: {
      type: 'object',
      properties: { binary_data: { type: 'boolean', description: 'Whether the values come as bytes behind the JSON.' } }
    }
  }
} as const

/** The JSON of `POST .../infer`. Fields that are not listed are let through: the clients of peers send some. */
export function inferBody(maxSteps: number) {
  return {
    title: 'V2InferRequest',
    type: 'object',
    required: ['inputs'],
    properties: {
      id: { ...text, maxLength: 256, description: 'Given back in the answer.' },
      parameters: {
        type: 'object',
        properties: {
          inference_length: {
            type: 'integer',
            minimum: 1,
            maximum: maxSteps,
            description: 'Number of rows to forecast of each window; 1 if left out.'
          },
          timeout: {
            type: 'integer',
            minimum: 0,
            description: 'Microseconds for the request, where they are fewer than the service gives; 0 for none.'
          },
          priority: {
            type: 'integer',
            minimum: 0,
            description: 'Above 1: requests of one window and one step go first.'
          },
          binary_data_output: { type: 'boolean', description: 'Whether outputs come as bytes behind the JSON.' }
        }
      },
      inputs: { type: 'array', minItems: 1, maxItems: 16, items: InputTensor },
      outputs: { type: 'array', maxItems: 16, items: WantedOutput }
    }
  } as const
}

export type InferBody = FromSchema<ReturnType<typeof inferBody>>

const V2Error = named('V2Error', { error: { ...text, description: 'Code, place and words of the error.' } })

const errors = (...statuses: number[]) => Object.fromEntries(statuses.map(status => [status, V2Error]))

const integer = { type: 'integer' } as const

function route(operationId: string, summary: string, response: Record<number, object>) {
  return { operationId, summary, tags: ['v2'], response }
}

export const serverMetadata = (id: string) =>
  route(id, 'Name, version and extensions of the server', {
    200: named('V2Server', { name: text, version: text, extensions: { type: 'array', items: text } })
  })

const Live = named('V2Live', { live: { type: 'boolean' } })
export const live = route('v2Live', 'Live: the process answers', { 200: Live })

const Ready = named('V2Ready', { ready: { type: 'boolean' } })
export const ready = route('v2Ready', 'Ready: a model is loaded and the process is not stopping', {
  200: Ready,
  503: Ready
})

const ModelReady = named('V2ModelReady', { name: text, ready: { type: 'boolean' } })
export const modelReady = (id: string) =>
  route(id, 'Whether the model takes requests', { 200: ModelReady, 503: ModelReady, ...errors(404) })

const TensorInfo = named('V2TensorInfo', { name: text, datatype: text, shape: { type: 'array', items: integer } })
const tensors = { type: 'array', items: TensorInfo } as const

export const model = (id: string) =>
  route(id, 'Inputs and outputs of the model', {
    200: named('V2Model', {
      name: text,
      versions: { type: 'array', items: text },
      platform: text,
      inputs: tensors,
      outputs: tensors
    }),
    ...errors(404, 503)
  })

const ConfigTensor = named('V2ConfigTensor', { name: text, data_type: text, dims: { type: 'array', items: integer } })

export const config = (id: string) =>
  route(id, 'Configuration of the model in the terms of Triton', {
    200: named('V2Config', {
      name: text,
      platform: text,
      backend: text,
      max_batch_size: integer,
      input: { type: 'array', items: ConfigTensor },
      output: { type: 'array', items: ConfigTensor }
    }),
    ...errors(404, 503)
  })

const Duration = named('V2Duration', { count: integer, ns: integer })

const ModelStatistics = named('V2ModelStatistics', {
  name: text,
  version: text,
  last_inference: { ...integer, description: 'Time of the last forecast, in ms since the epoch; 0 before the first.' },
  inference_count: { ...integer, description: 'Number of rows that the model ran.' },
  execution_count: { ...integer, description: 'Number of model runs.' },
  inference_stats: named('V2InferenceStatistics', {
    success: Duration,
    fail: Duration,
    queue: Duration,
    compute_input: Duration,
    compute_infer: Duration,
    compute_output: Duration,
    cache_hit: Duration,
    cache_miss: Duration
  }),
  batch_stats: {
    type: 'array',
    items: named('V2BatchStatistics', {
      batch_size: integer,
      compute_input: Duration,
      compute_infer: Duration,
      compute_output: Duration
    })
  },
  memory_usage: { type: 'array', items: {}, description: 'Always empty.' }
})

export const stats = (id: string) =>
  route(id, 'Counts and times of the model, of all routes, since it went live in this replica', {
    200: named('V2Statistics', { model_stats: { type: 'array', items: ModelStatistics } }),
    ...errors(404, 503)
  })

const OutputTensor = {
  title: 'V2OutputTensor',
  type: 'object',
  required: ['name', 'datatype', 'shape'],
  properties: {
    name: text,
    datatype: text,
    shape: { type: 'array', items: integer },
    parameters: { type: 'object' },
    data: {
      type: 'array',
      items: { type: 'number' },
      description: 'The values, flat; left out where they come as bytes.'
    }
  }
} as const

const InferAnswer = {
  title: 'V2InferAnswer',
  type: 'object',
  required: ['model_name', 'model_version', 'outputs'],
  properties: {
    model_name: text,
    model_version: text,
    id: text,
    parameters: {
      type: 'object',
      properties: { warnings: { ...text, description: 'Reason to distrust the forecast.' } }
    },
    outputs: { type: 'array', items: OutputTensor }
  }
} as const

export const infer = (id: string, maxSteps: number) => ({
  ...route(id, 'Forecast the next rows of one or many windows', {
    200: InferAnswer,
    ...errors(400, 404, 413, 415, 429, 500, 503, 504)
  }),
  describedBody: inferBody(maxSteps),
  exampleAs: inferExample
})

function inferExample(example: Example) {
  const { manifest, body } = example
  const { window, features } = manifest
  const names = features.map(({ name }) => name)
  const data = rowsOf(example, names).flat()
  const values = { name: 'window', datatype: 'FP32', shape: [1, window, features.length], data }
  if (!usesMinute(manifest)) return { inputs: [values] }
  const minutes = body.data[body.index_col]!.map(time => Math.floor(parseTime(String(time)) / 60_000))
  return { inputs: [values, { name: 'minute', datatype: 'INT32', shape: [1, window], data: minutes }] }
}

export const index = route('v2RepositoryIndex', 'The model that serves', {
  200: {
    title: 'V2RepositoryIndex',
    type: 'array',
    items: named('V2IndexEntry', { name: text, version: text, state: text, reason: text })
  }
})

export const refused = (what: 'load' | 'unload') =>
  route(
    `v2${what === 'load' ? 'Load' : 'Unload'}`,
    `Refused: promotion in the registry decides which model serves`,
    errors(400)
  )
