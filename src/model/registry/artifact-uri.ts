import { ModelRefused } from '../../errors.js'

/** The only part of a store that a pointer may lead to. */
export interface Allowed {
  bucket: string
  /** without slashes at its ends */
  prefix: string
}

/** Where a bundle lies that MLflow names: in the bucket, or behind MLflow's own server. */
export type Place = { kind: 's3'; bucket: string; key: string } | { kind: 'artifacts'; path: string }

const MAX_LENGTH = 1024
/** Segments neither empty nor beginning with a dot: no way up, no escape, no query, no credentials. */
const PATH = String.raw`([\w=+-][\w.=+-]*(?:\/[\w=+-][\w.=+-]*)*)\/?`
const ADDRESS = new RegExp(String.raw`^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/${PATH}$`)
/** A host that it names is that of the tracking server, written out. */
const ARTIFACTS = new RegExp(String.raw`^mlflow-artifacts:(?:\/\/([A-Za-z0-9.\-\[\]:]*))?\/${PATH}$`)

/**
 * The key of the folder that an artifact's address names. Throws `ModelRefused` `bad_pointer` unless it lies in the allowed
 * bucket and prefix; the message never repeats the address, which may hold anything.
 */
export function keyOfAddress(address: unknown, { bucket, prefix }: Allowed): string {
  const [, found, key] = ADDRESS.exec(sensible(address)) ?? []
  if (found === undefined || key === undefined) throw refuse('does not have the form s3://BUCKET/KEY')
  if (found !== bucket) throw refuse('is in another bucket than S3_BUCKET')
  if (key !== prefix && !key.startsWith(`${prefix}/`)) throw refuse('is outside S3_PREFIX')
  return key
}

/**
 * The place that an artifact's address names. Throws `ModelRefused` `bad_pointer` unless it is in the store, where there is one, or
 * behind the tracking server itself.
 */
export function placeOf(
  address: unknown,
  { trackingUri, store }: { trackingUri: string; store: Allowed | undefined }
): Place {
  const text = sensible(address)
  const [, host = '', path] = ARTIFACTS.exec(text) ?? []
  if (path !== undefined) {
    if (host !== '' && !isHostOf(trackingUri, host)) throw refuse('is on another server than MLFLOW_TRACKING_URI')
    return { kind: 'artifacts', path }
  }
  if (store) return { kind: 's3', bucket: store.bucket, key: keyOfAddress(text, store) }
  if (text.startsWith('s3://')) throw refuse('is in a bucket: set S3_BUCKET and the other S3 settings')
  throw refuse('does not have the form mlflow-artifacts:/PATH')
}

/** The place that an address names where any bucket will do. Throws as `placeOf`. */
export function placeAnywhere(address: string, trackingUri: string): Place {
  const [, bucket, prefix] = ADDRESS.exec(address) ?? []
  return placeOf(address, { trackingUri, store: bucket && prefix ? { bucket, prefix } : undefined })
}

/** The plain form of a place's address. */
export function addressOf(place: Place): string {
  return place.kind === 's3' ? `s3://${place.bucket}/${place.key}` : `mlflow-artifacts:/${place.path}`
}

function sensible(address: unknown): string {
  if (typeof address === 'string' && address.length <= MAX_LENGTH) return address
  throw refuse(`is not a text of at most ${MAX_LENGTH} characters`)
}

/** Whether a URL's host and port are these; a port that is left out is that of its scheme. */
function isHostOf(url: string, host: string): boolean {
  const { protocol, host: expected } = new URL(url)
  return URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === expected
}

function refuse(why: string): ModelRefused {
  return new ModelRefused('bad_pointer', `the address of the model ${why}`)
}
