import { BenchError, reasonOf } from '../errors.js'
import { getText } from '../watch/get.js'

/** The model that a target says it serves. */
export interface ServedModel {
  name: string
  /** sha256 of the graph */
  digest: string
  version: string
  /** names in the order of the manifest */
  features: string[]
  /** rows of a window */
  rows: number
}

/** What is read of `GET /model`. */
interface ModelAnswer {
  model: { name: string; sha256: string; version: string; features: { name: string }[]; window: number } | null
}

/**
 * Asks what model a target serves.
 * @param url of the target, without a path
 * @throws BenchError `target_down` when it does not answer, or serves none
 */
export async function askModel(url: string): Promise<ServedModel> {
  try {
    const { model } = JSON.parse(await getText(`${url}/model`)) as ModelAnswer
    if (!model) throw new Error('the target serves no model')
    const { name, sha256: digest, version, features, window: rows } = model
    return { name, digest, version, features: features.map(feature => feature.name), rows }
  } catch (cause) {
    throw new BenchError('target_down', `no model from ${url}/model: ${reasonOf(cause)}`, { cause })
  }
}
