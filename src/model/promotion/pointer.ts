import { ModelRefused } from '../../errors.js'

/** The only part of a store that a pointer may lead to. */
export interface Allowed {
  bucket: string
  /** without slashes at its ends */
  prefix: string
}

const MAX_LENGTH = 1024
/** Segments neither empty nor beginning with a dot: no way up, no escape, no query, no credentials. */
const ADDRESS = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/([\w=+-][\w.=+-]*(?:\/[\w=+-][\w.=+-]*)*)\/?$/

/**
 * The key of the folder that an artifact's address names. Throws `ModelRefused` `bad_pointer` unless it lies in the allowed
 * bucket and prefix; the message never repeats the address, which may hold anything.
 */
export function keyOfAddress(address: unknown, { bucket, prefix }: Allowed): string {
  const refuse = (why: string) => new ModelRefused('bad_pointer', `the address of the model ${why}`)
  if (typeof address !== 'string' || address.length > MAX_LENGTH) throw refuse('is no text of a sensible length')
  const [, found, key] = ADDRESS.exec(address) ?? []
  if (found === undefined || key === undefined) throw refuse('is not a plain s3://BUCKET/KEY')
  if (found !== bucket) throw refuse('is in another bucket than S3_BUCKET')
  if (key !== prefix && !key.startsWith(`${prefix}/`)) throw refuse('is outside S3_PREFIX')
  return key
}
