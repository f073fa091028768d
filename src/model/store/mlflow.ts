import { ModelRefused } from '../../errors.js'
import { keyOfAddress } from '../promotion/pointer.js'
import type { ModelSource, Pointer } from '../source.js'
import { type S3Options, S3Source } from './s3.js'

/** An answer has some kilobytes; more is none of MLflow's. */
const MAX_ANSWER_BYTES = 1_048_576
const VERSION = /^[1-9][0-9]{0,8}$/
const DIGEST = /^[0-9a-f]{64}$/
const RUN_ID = /^[0-9a-f]{32}$/

export interface MlflowOptions {
  /** without a slash at its end */
  trackingUri: string
  /** of the registered model */
  name: string
  /** heeded while `version` is empty */
  alias: string
  version: string
  /** where the artifacts of the registry lie */
  store: S3Options
}

interface Version {
  name?: unknown
  version?: unknown
  run_id?: unknown
  tags?: { key?: unknown; value?: unknown }[]
}

/** The version of a registered model that an alias names, or a fixed one; its artifacts are read from S3. */
export class MlflowSource implements ModelSource {
  readonly #options: MlflowOptions
  readonly #store: S3Source

  constructor(options: MlflowOptions) {
    this.#options = options
    this.#store = new S3Source(options.store)
  }

  async resolve(signal: AbortSignal): Promise<Pointer> {
    const { name, alias, version: fixed, store } = this.#options
    const query = fixed === '' ? { name, alias } : { name, version: fixed }
    const found = await this.#ask(fixed === '' ? 'registered-models/alias' : 'model-versions/get', query, signal)
    const { version, run_id, tags, name: given } = (found.model_version ?? {}) as Version
    if (given !== name || typeof version !== 'string' || !VERSION.test(version)) {
      throw new ModelRefused('bad_pointer', 'MLflow names another model, or a version that is none')
    }
    const { artifact_uri } = await this.#ask('model-versions/get-download-uri', { name, version }, signal)
    const key = keyOfAddress(artifact_uri, store)
    const digest = Array.isArray(tags) ? tags.find(tag => tag?.key === 'sha256')?.value : undefined
    if (digest !== undefined && !(typeof digest === 'string' && DIGEST.test(digest))) {
      throw new ModelRefused('bad_pointer', 'the tag `sha256` of the version is no digest')
    }
    const runId = typeof run_id === 'string' && RUN_ID.test(run_id) ? run_id : null
    return { kind: 'mlflow', name, version, runId, digest: digest ?? null, location: `s3://${store.bucket}/${key}` }
  }

  fetch(pointer: Pointer, folder: string, signal: AbortSignal): Promise<void> {
    return this.#store.fetch(pointer, folder, signal)
  }

  async #ask(route: string, query: Record<string, string>, signal: AbortSignal): Promise<Record<string, unknown>> {
    const url = `${this.#options.trackingUri}/api/2.0/mlflow/${route}?${new URLSearchParams(query).toString()}`
    const failed = (why: string, cause?: unknown) =>
      new ModelRefused('registry_unavailable', `MLflow ${why}`, { cause })
    let response: Response
    let text: string
    try {
      response = await fetch(url, { signal, redirect: 'error' })
      text = await readCapped(response)
    } catch (error) {
      if (error instanceof ModelRefused) throw error
      throw failed('does not answer', error)
    }
    const answer = parsed(text)
    // A missing alias has the code of a bad request: only the message tells them apart.
    const missing = `${String(answer?.error_code)} ${String(answer?.message)}`
    if (/^RESOURCE_DOES_NOT_EXIST |^INVALID_PARAMETER_VALUE .*alias .*not found/.test(missing)) {
      throw new ModelRefused('not_found', 'MLflow has no such model, version or alias')
    }
    if (!response.ok || !answer) throw failed(`answers ${response.status}${answer ? '' : ' without JSON'}`)
    return answer
  }
}

async function readCapped(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.length
    if (bytes > MAX_ANSWER_BYTES) throw new ModelRefused('registry_unavailable', 'MLflow gives too long an answer')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
