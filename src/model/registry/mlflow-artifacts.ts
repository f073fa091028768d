import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { ModelRefused } from '../../errors.js'
import { objectIn, readShort } from './http-answer.js'
import { type FetchLimits, inTries, refusalOf, save } from './download.js'
import { BUNDLE_FILES } from '../bundle/files.js'

export interface ArtifactOptions extends FetchLimits {
  /** without a slash at its end */
  trackingUri: string
}

/** Bytes of each file of a folder, by name; undefined where the server does not say how many. */
type Sizes = Map<string, number | undefined>

const unavailable = (message: string) => new ModelRefused('storage_unavailable', message)

/**
 * Artifacts that MLflow's server hands out itself, from wherever it keeps them: `mlflow-artifacts:` addresses, which a server
 * started without options gives.
 */
export class MlflowArtifacts {
  readonly #options: ArtifactOptions
  readonly #root: string

  constructor(options: ArtifactOptions) {
    this.#options = options
    this.#root = `${options.trackingUri}/api/2.0/mlflow-artifacts/artifacts`
  }

  /** Puts a bundle's files into `folder`. `path`: of checked segments. Rejects with `ModelRefused`. */
  fetch(path: string, folder: string, signal: AbortSignal): Promise<void> {
    return inTries(this.#options, signal, async patience => {
      // A server that has its artifacts elsewhere answers 500 for one that is not there: the list tells the two apart.
      const sizes = await this.#list(path, patience)
      for (const file of BUNDLE_FILES)
        await this.#save({ path, folder, file, size: this.#sizeOf(sizes, file) }, patience)
    })
  }

  #sizeOf(sizes: Sizes, file: string): number | undefined {
    if (!sizes.has(file)) throw new ModelRefused('not_found', `MLflow has no ${file} for this model version`)
    const { maxBytes } = this.#options
    const size = sizes.get(file)
    if (size !== undefined && size > maxBytes) {
      throw new ModelRefused('too_large', `a file of the bundle has more than MODEL_MAX_BYTES (${maxBytes}) bytes`)
    }
    return size
  }

  async #list(path: string, signal: AbortSignal): Promise<Sizes> {
    const response = await this.#ask(`${this.#root}?${new URLSearchParams({ path }).toString()}`, 'the list', signal)
    const text = await readShort(response).catch((error: unknown) => {
      throw refusalOf(error, 'storage_unavailable', 'the list')
    })
    const answer = text === undefined ? undefined : objectIn(text)
    // A folder that is not there is an empty one, whose list is left out.
    const { files = [], error_code: failed } = answer ?? {}
    if (!answer || failed !== undefined || !Array.isArray(files))
      throw unavailable('MLflow does not list the files of the bundle')
    return new Map((files as unknown[]).flatMap(entryOf))
  }

  async #save(
    { path, folder, file, size }: { path: string; folder: string; file: string; size: number | undefined },
    signal: AbortSignal
  ): Promise<void> {
    const ask = async () => {
      const { body } = await this.#ask(`${this.#root}/${path}/${file}`, file, signal)
      if (!body) throw unavailable(`MLflow's answer for ${file} has no body`)
      return { body: Readable.fromWeb(body as ReadableStream) }
    }
    const { bytes } = await save(join(folder, file), ask, { maxBytes: this.#options.maxBytes, signal })
    if (size !== undefined && bytes !== size) {
      throw unavailable(`MLflow sent ${bytes} bytes of ${file} and lists ${size}`)
    }
  }

  /** Resolves to an answer that is good; its body is not read yet. */
  async #ask(url: string, file: string, signal: AbortSignal): Promise<Response> {
    let response: Response
    try {
      response = await fetch(url, { signal, redirect: 'error', headers: { 'accept-encoding': 'identity' } })
    } catch (error) {
      throw refusalOf(error, 'storage_unavailable', file)
    }
    if (response.ok) return response
    const answer = objectIn((await readShort(response).catch(() => undefined)) ?? '')
    const { status } = response
    if (status === 401 || status === 403) throw new ModelRefused('access_denied', `MLflow denies ${file} (${status})`)
    if (status === 404 && answer?.error_code === 'RESOURCE_DOES_NOT_EXIST') {
      throw new ModelRefused('not_found', `MLflow has no ${file} for this model version`)
    }
    throw unavailable(`MLflow answers ${status} for ${file}`)
  }
}

/** A file of a list, with its size; nothing for what is none. */
function entryOf(entry: unknown): [string, number | undefined][] {
  const { path, is_dir, file_size } = (entry ?? {}) as { path?: unknown; is_dir?: unknown; file_size?: unknown }
  if (typeof path !== 'string' || is_dir === true) return []
  // A number of 64 bits may come as a text.
  const size = typeof file_size === 'string' ? Number(file_size) : file_size
  return [[path, typeof size === 'number' && Number.isSafeInteger(size) ? size : undefined]]
}
