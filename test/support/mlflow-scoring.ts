import { gru } from './bundles.js'
import type { Service } from './service.js'

const { manifest, golden } = gru()
const names = manifest.features.map(({ name }) => name)

/** An answer of `POST /invocations`. */
export interface Scored {
  status: number
  type: string | null
  text: string
}

/** Sends a body, JSON unless it is text or bytes, as MLflow's clients do. */
export async function invoke({ url }: Service, body: unknown, type = 'application/json'): Promise<Scored> {
  const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  const answer = await fetch(`${url}/invocations`, { method: 'POST', headers: { 'content-type': type }, body: text })
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
}

export const predictionsOf = ({ text }: Scored) => (JSON.parse(text) as { predictions: unknown }).predictions
/** A golden window as pandas' split form, with the times as the first column. */
export const split = (index: number) => ({
  columns: ['ts', ...names],
  data: golden.windows[index]!.time.map((time, row) => [time, ...golden.windows[index]!.window[row]!])
})
