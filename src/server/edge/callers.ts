import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import { ServiceError } from '../../errors.js'
import type { FastRoute } from '../http/fast-path.js'
import { ErrorAnswer } from '../schemas/shared.js'
import type { ApiKeys } from './api-keys.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** probes ask this route, and they have no key */
    isKeyless?: boolean
  }
}

const BEARER = /^Bearer ([!-~]+)$/i
const SECURITY = [{ apiKey: [] }, { bearer: [] }]

/** The key in a request's headers: `x-api-key`, or else the bearer token; empty where there is none. */
export function keyIn(own: string | undefined, authorization: string | undefined): string {
  return own ?? BEARER.exec(authorization ?? '')?.[1] ?? ''
}

/**
 * Lets only callers with a key ask the routes that are added to `scope`, and writes down who they are. The others are answered 401
 * before their body is read, in the form of the route.
 */
export function guardByKey(scope: FastifyInstance, keys: ApiKeys): void {
  const check = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => {
    const { authorization, 'x-api-key': own } = request.headers
    request.caller = keys.nameOf(keyIn(own as string | undefined, authorization))
    if (request.caller !== undefined) return done()
    void reply.header('www-authenticate', 'Bearer')
    done(unknownKey())
  }
  scope.addHook('onRoute', route => {
    if (route.config?.isKeyless === true) return
    // Behind what counts the request by its route, and before all that costs something.
    const [count, ...own] = [route.onRequest ?? []].flat()
    route.onRequest = [...(count ? [count] : []), check, ...own]
    route.schema = withKey(route.schema)
  })
}

/** The answer to a caller whose key is missing or nobody's. */
export function unknownKey(): ServiceError {
  return new ServiceError('unauthorized', 'the API key is missing or not known: send it as x-api-key')
}

/** What a route says of itself in the OpenAPI description, with the key; a refusal has the form of the route's others. */
function withKey(schema: FastifySchema | undefined): FastifySchema {
  const answers = (schema?.response ?? {}) as Record<string, unknown>
  const refused = Object.keys(answers).find(status => Number(status) >= 400)
  return { ...schema, security: SECURITY, response: { ...answers, 401: answers[refused ?? ''] ?? ErrorAnswer } }
}

/** Most headers are told apart by the length of their name. */
const isNamed = (name: string, wanted: string) => name.length === wanted.length && name.toLowerCase() === wanted

/**
 * The same check for the fast path, which leaves whoever is to be refused to the framework, and, where other origins are told apart,
 * every request of a page; undefined where nothing is to be checked.
 */
export function fastCallerOf(keys: ApiKeys | undefined, hasOrigins: boolean): FastRoute['callerOf'] {
  if (keys === undefined && !hasOrigins) return undefined
  return headers => {
    let own: string | undefined
    let authorization: string | undefined
    for (let at = 0; at < headers.length; at += 2) {
      const name = headers[at]!
      if (hasOrigins && isNamed(name, 'origin')) return undefined
      if (isNamed(name, 'authorization')) {
        if (authorization !== undefined) return undefined
        authorization = headers[at + 1]!
      } else if (isNamed(name, 'x-api-key')) {
        if (own !== undefined) return undefined
        own = headers[at + 1]!
      }
    }
    return keys === undefined ? '' : keys.nameOf(keyIn(own, authorization))
  }
}
