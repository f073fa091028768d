import type { ServiceError } from '../../../errors.js'
import { jsonPointer } from '../../../json-pointer.js'
import type { Forecast } from '../../../model/inference/forecast.js'
import { forecastTime } from '../../../model/inference/window.js'
import type { ServingModel } from '../../../model/promotion/active-model.js'
import { warningsOf } from '../../predict/answer.js'
import type { Item, WindowFault } from '../../predict/batch.js'
import { faultAt, type Fields, fieldsOf, refuseOthers, stepsOf } from '../fields.js'
import { moved } from '../moved.js'
import { csvFrame } from './csv-frame.js'
import type { FrameBounds } from './frame-bounds.js'
import { type Frame, recordsFrame, splitFrame, tableOf } from './frame.js'
import { inputWindows, instanceWindows, type Windows } from './tensors.js'

/** A scoring request as windows, and how its outcomes go back. */
export interface Scoring {
  readonly items: readonly Item[]
  /** The error of a call with these bad windows, told of the element that the caller wrote. */
  refusal(faults: readonly WindowFault[]): ServiceError
  /** The body of an answer. */
  answer(forecasts: readonly Forecast[]): unknown
}

/** What a request may ask for. */
export interface ScoringLimits {
  mostSteps: number
  mostWindows: number
  frame: FrameBounds
}

const FORMATS = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const
const ONE_OF = `exactly one of ${FORMATS.join(', ')}`

interface Params {
  steps: number | undefined
  indexCol: string | undefined
}

/** Reads the JSON body of a scoring request. @throws ServiceError that points to the element at fault */
export function jsonScoring(body: unknown, model: ServingModel, limits: ScoringLimits): Scoring {
  const fields = fieldsOf(body, [])
  refuseOthers(fields, [], [...FORMATS, 'params'])
  const [format, second] = FORMATS.filter(name => fields[name] !== undefined)
  if (format === undefined) throw faultAt([], 'missing_field', `expected ${ONE_OF}`)
  if (second !== undefined) throw faultAt([second], 'unknown_field', `expected ${ONE_OF}, got ${format} too`)
  const params = paramsOf(fields, limits.mostSteps)
  if (format === 'dataframe_split') return frameScoring(splitFrame(fields[format], limits.frame), params)
  if (format === 'dataframe_records') return frameScoring(recordsFrame(fields[format], limits.frame), params)
  const shape = { manifest: model.pool.bundle.manifest, most: limits.mostWindows }
  const windows = format === 'inputs' ? inputWindows(fields.inputs, shape) : instanceWindows(fields.instances, shape)
  return tensorScoring(windows, params)
}

/** Reads a frame as CSV, which has no place for params: one step. @throws ServiceError that tells the line */
export function csvScoring(text: string, bounds: FrameBounds): Scoring {
  return frameScoring(csvFrame(text, bounds), { steps: undefined, indexCol: undefined })
}

function paramsOf({ params }: Fields, mostSteps: number): Params {
  if (params === undefined || params === null) return { steps: undefined, indexCol: undefined }
  const given = fieldsOf(params, ['params'])
  refuseOthers(given, ['params'], ['inference_length', 'index_col'])
  const { inference_length: length, index_col: indexCol } = given
  const steps = length === undefined ? undefined : stepsOf(length, ['params', 'inference_length'], mostSteps)
  if (indexCol === undefined || typeof indexCol === 'string') return { steps, indexCol }
  throw faultAt(['params', 'index_col'], 'wrong_type', 'expected the name of a column')
}

/** The forecast rows have the frame's own column of times, so that they can be put behind it. */
function frameScoring(frame: Frame, { steps = 1, indexCol }: Params): Scoring {
  const { table, times, origin } = tableOf(frame, indexCol)
  return {
    items: [{ table, steps }],
    refusal: ([fault]) => moved(fault!.error, origin),
    answer: ([forecast]) => {
      const predictions = rowsOf(forecast!).map((row, step) => {
        const { window, pool } = forecast!.order
        const values = pool.bundle.manifest.features.map(({ name }, feature) => [name, row[feature]!] as const)
        return Object.fromEntries([[times, forecastTime(window, step + 1)], ...values])
      })
      const warnings = warningsOf(forecast!.order)
      return { predictions, ...(warnings.length > 0 && { warnings }) }
    }
  }
}

/** [n, features], as the model itself gives it; with a length that was asked for, [n, length, features]. */
function tensorScoring({ count, tensor, at }: Windows, { steps, indexCol }: Params): Scoring {
  if (indexCol !== undefined)
    throw faultAt(['params', 'index_col'], 'unknown_field', 'only frames have an index column')
  return {
    items: Array.from({ length: count }, (_, index) => ({ tensor, index, steps: steps ?? 1 })),
    refusal: faults => refusalOf(faults, at),
    answer: forecasts => ({
      predictions: forecasts.map(forecast => (steps === undefined ? rowsOf(forecast)[0] : rowsOf(forecast)))
    })
  }
}

const SHOWN = 5

/** The error of the first bad window, with the places of the others. */
function refusalOf(faults: readonly WindowFault[], at: Windows['at']): ServiceError {
  const [{ index, error }, ...others] = faults as [WindowFault, ...WindowFault[]]
  if (others.length === 0) return faultAt(at(index), error.code, error.message)
  const shown = others.slice(0, SHOWN).map(other => jsonPointer(...at(other.index)))
  const more = others.length > SHOWN ? ` and ${others.length - SHOWN} more` : ''
  return faultAt(at(index), error.code, `${error.message}; also at fault: ${shown.join(', ')}${more}`)
}

/** The rows of a forecast, in raw units. */
function rowsOf({ order, values }: Forecast): number[][] {
  const width = order.pool.bundle.manifest.features.length
  return Array.from({ length: order.steps }, (_, step) => values.slice(step * width, (step + 1) * width))
}
