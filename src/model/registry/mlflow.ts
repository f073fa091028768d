import { ModelRefused } from '../../errors.js'
import { addressOf, placeOf } from './artifact-uri.js'
import type { ModelSource, ModelRef } from './source.js'
import { objectIn, readShort } from './http-answer.js'
import type { FetchLimits } from './download.js'
import { MlflowArtifacts } from './mlflow-artifacts.js'
import { type S3Options, S3Source } from './s3.js'

const VERSION = /^[1-9][0-9]{0,8}$/
const DIGEST = /^[0-9a-f]{64}$/
const RUN_ID = /^[0-9a-f]{32}$/

export interface MlflowOptions extends FetchLimits {
  /** without a slash at its end */
  trackingUri: string
  /** of the registered model */
  name: string
  /** heeded while `version` is empty */
  alias: string
  version: string
  /** where the artifacts of the registry lie, unless its own server hands them out */
  store: S3Options | undefined
}

interface Version {
  name?: unknown
  version?: unknown
  run_id?: unknown
  tags?: { key?: unknown; value?: unknown }[]
}

/** The version of a registered model that an alias names, or a fixed one; its artifacts are read from S3 or through MLflow. */
export class MlflowSource implements ModelSource {
  readonly #options: MlflowOptions
  readonly #store: S3Source | undefined
  readonly #artifacts: MlflowArtifacts

  constructor(options: MlflowOptions) {
    this.#options = options
    this.#store = options.store && new S3Source(options.store)
    this.#artifacts = new MlflowArtifacts(options)
  }

  async resolve(signal: AbortSignal): Promise<ModelRef> {
    const { name, alias, version: fixed } = this.#options
    const query = fixed === '' ? { name, alias } : { name, version: fixed }
    const found = await this.#ask(fixed === '' ? 'registered-models/alias' : 'model-versions/get', query, signal)
    const { version, run_id, tags, name: given } = (found.model_version ?? {}) as Version
    if (given !== name || typeof version !== 'string' || !VERSION.test(version)) {
      throw new ModelRefused('bad_pointer', 'MLflow answered with another model, or without a valid version')
    }
    const { artifact_uri } = await this.#ask('model-versions/get-download-uri', { name, version }, signal)
    const place = placeOf(artifact_uri, this.#options)
    const digest = Array.isArray(tags) ? tags.find(tag => tag?.key === 'sha256')?.value : undefined
    if (digest !== undefined && !(typeof digest === 'string' && DIGEST.test(digest))) {
      throw new ModelRefused('bad_pointer', 'the tag `sha256` of the model version is not a SHA-256 digest')
    }
    const runId = typeof run_id === 'string' && RUN_ID.test(run_id) ? run_id : null
    return { kind: 'mlflow', name, version, runId, digest: digest ?? null, location: addressOf(place) }
  }

  async fetch(pointer: ModelRef, folder: string, signal: AbortSignal): Promise<void> {
    const place = placeOf(pointer.location, this.#options)
    if (place.kind === 'artifacts') return this.#artifacts.fetch(place.path, folder, signal)
    // Without a store no place is in one.
    return this.#store!.fetch(pointer, folder, signal)
  }

  async #ask(route: string, query: Record<string, string>, signal: AbortSignal): Promise<Record<string, unknown>> {
    const url = `${this.#options.trackingUri}/api/2.0/mlflow/${route}?${new URLSearchParams(query).toString()}`
    const failed = (why: string, cause?: unknown) =>
      new ModelRefused('registry_unavailable', `MLflow ${why}`, { cause })
    let response: Response
    let text: string | undefined
    try {
      response = await fetch(url, { signal, redirect: 'error' })
      text = await readShort(response)
    } catch (error) {
      throw failed('does not answer', error)
    }
    if (text === undefined) throw failed('sent too long an answer')
    const answer = objectIn(text)
    // A missing alias has the code of a bad request: only the message tells them apart.
    const missing = `${String(answer?.error_code)} ${String(answer?.message)}`
    if (/^RESOURCE_DOES_NOT_EXIST |^INVALID_PARAMETER_VALUE .*alias .*not found/.test(missing)) {
      throw new ModelRefused('not_found', 'MLflow has no such model, version or alias')
    }
    if (!response.ok || !answer) throw failed(`answers ${response.status}${answer ? '' : ' without JSON'}`)
    return answer
  }
}
