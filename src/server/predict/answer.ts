import type { Forecast } from '../../model/inference/forecast.js'
import type { Manifest } from '../../model/bundle/manifest.js'
import { forecastTime } from '../../model/inference/window.js'

/** The parts of an answer that stay the same for one model version, ready-made. */
interface Template {
  head: string
  target: number
  /** `,"name":` of each feature */
  keys: string[]
}

/** Steps that are good by measurement: 15 steps ahead linear forecasts have the lower error (training/README.md). */
export const GOOD_STEPS = 5
export const FAR_AHEAD =
  `far_ahead: each step after the ${GOOD_STEPS}th is a forecast of forecasts and drifts towards the mean; ` +
  'from about 15 steps on a linear forecast has the lower error'

const templates = new WeakMap<Manifest, Template>()

function templateOf(manifest: Manifest): Template {
  let template = templates.get(manifest)
  if (!template) {
    const { name, run_id, version, features, target } = manifest
    const fixed = JSON.stringify({ status: 'SUCCESS', identifier: name, run_id, model_version: version })
    template = {
      head: `${fixed.slice(0, -1)},"req_id":"`,
      target: features.findIndex(feature => feature.name === target),
      keys: features.map(feature => `,${JSON.stringify(feature.name)}:`)
    }
    templates.set(manifest, template)
  }
  return template
}

/**
 * The text of a successful answer. Put together by hand: it is the hottest code of the main thread, and a general
 * serialiser takes three times as long (docs/adr/0004). `requestId` must need no escaping; values are finite.
 */
export function predictAnswer({ order, values }: Forecast, requestId: string): string {
  const { window, pool, steps } = order
  const { head, target, keys } = templateOf(pool.bundle.manifest)
  const width = keys.length
  let text = `${head}${requestId}","cached":false,"predictions":[`
  for (let step = 0; step < steps; step++) {
    const first = step * width
    text += `${step === 0 ? '' : ','}{"ts":"${forecastTime(window, step + 1)}","value":${values[first + target]}`
    for (let feature = 0; feature < width; feature++) text += keys[feature]! + values[first + feature]!
    text += '}'
  }
  if (steps <= GOOD_STEPS && window.warnings.length === 0) return `${text}]}`
  return `${text}],"warnings":${JSON.stringify(warningsOf(order))}}`
}

/** Reasons to distrust a forecast, each with its name and a colon in front. */
export function warningsOf({ steps, window }: Forecast['order']): readonly string[] {
  return steps > GOOD_STEPS ? [...window.warnings, FAR_AHEAD] : window.warnings
}

/** `Server-Timing` (W3C) of a forecast, in ms with three decimals. */
export function serverTiming(validateMs: number, { queueMs, inferMs }: Forecast): string {
  return `validate;dur=${micro(validateMs)}, queue;dur=${micro(queueMs)}, infer;dur=${micro(inferMs)}`
}

function micro(ms: number): number {
  return Math.max(0, Math.round(ms * 1000)) / 1000
}
