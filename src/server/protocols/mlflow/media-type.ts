import { ServiceError } from '../../../errors.js'

export const MEDIA_TYPES = 'application/json or text/csv'
const CHARSET = /^charset="?utf-8"?$/i

/** Why a body of this content type is not read, whatever its type is; undefined where nothing speaks against it. */
export function parametersRefusal(contentType: string | undefined): ServiceError | undefined {
  if (contentType === undefined) return new ServiceError('unsupported_media_type', `the body must be ${MEDIA_TYPES}`)
  const parameters = contentType.split(';').slice(1)
  if (parameters.every(parameter => CHARSET.test(parameter.trim()))) return undefined
  const message = 'the only parameter of the content type is charset=utf-8'
  return new ServiceError('unsupported_media_type', message)
}
