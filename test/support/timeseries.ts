import { gru } from './bundles.js'
import type { Service } from './service.js'

const { manifest, golden } = gru()
const { windows } = golden
export const PATH = '/v1/timeseries/forecast'

interface TimeSeriesError {
  code: string
  message: string
  param: string | null
  type: string
}

/** The answer of a call. */
export interface TimeSeriesAnswer {
  id: string
  created_at: number
  status: string
  model: string
  error: TimeSeriesError | null
  outputs: {
    id: string
    type: string
    status: string
    error: TimeSeriesError | null
    warnings?: string[]
    content: {
      type: string
      name: string
      mean_forecast: number[][]
      frequency: string
      frequency_seconds: number
      start_timestamp: string
    }[]
  }[]
}

/** Sends a call, JSON unless it is text already. */
export async function ask({ url }: Service, body: unknown, type = 'application/json') {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await fetch(url + PATH, { method: 'POST', headers: { 'content-type': type }, body: text })
  return { status: answer.status, json: (await answer.json()) as TimeSeriesAnswer }
}

/** A golden window as a series, with other fields where they are given. */
export const series = (index: number, fields: object = {}) => ({
  type: 'multivariate_time_series',
  name: `cell ${index}`,
  series: windows[index]!.window,
  frequency: 'T',
  frequency_seconds: 120,
  start_timestamp: windows[index]!.time[0],
  ...fields
})
export const call = (inputs: unknown, horizon = 1) => ({ model: manifest.name, inputs, options: { horizon } })
