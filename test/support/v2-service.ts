import type { Test } from 'tap'
import { type Service, type ServiceOptions, startService } from './service.js'
import { readV2Binary, type V2Answer, type v2Binary } from './v2.js'

/** The model that the repository carries, as the protocol names it. */
export const MODEL = '/v2/models/gru-traffic'
/** A deadline that several steps of many windows keep on a slow host too. */
export const PATIENT = { DEADLINE_MS: '20000' }

/** A service that ends with the test. */
export async function started(t: Test, options: ServiceOptions = {}): Promise<Service> {
  const service = await startService(options)
  t.teardown(() => service.process.kill('SIGKILL'))
  return service
}

export async function ask(service: Service, path: string, init?: RequestInit) {
  const response = await fetch(service.url + path, init)
  const bytes = Buffer.from(await response.arrayBuffer())
  const { status, headers } = response
  return { status, headers, bytes, json: () => JSON.parse(bytes.toString()) as unknown }
}

/** Asks for a forecast in JSON. */
export async function inferJson(service: Service, path: string, body: unknown) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const { status, headers, json } = await ask(service, `${path}/infer`, { method: 'POST', body: text })
  return { status, headers, answer: json() as V2Answer }
}

/** Asks for a forecast with the values as bytes; reads the answer in whichever way it came. */
export async function inferBinary(service: Service, path: string, { body, jsonLength }: ReturnType<typeof v2Binary>) {
  const headers = { 'inference-header-content-length': `${jsonLength}`, 'content-type': 'application/octet-stream' }
  const answer = await ask(service, `${path}/infer`, { method: 'POST', body: new Uint8Array(body), headers })
  const length = answer.headers.get('inference-header-content-length')
  return { ...answer, ...readV2Binary(answer.bytes, length === null ? answer.bytes.length : Number(length)) }
}
