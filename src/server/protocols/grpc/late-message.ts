import { constants, type ServerHttp2Stream } from 'node:http2'
import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js'
import { ServiceError } from '../../../errors.js'
import type { Context } from '../../context.js'
import { statusOf } from './status.js'

/**
 * Ends calls whose message has not come within `REQUEST_TIMEOUT_MS`: what has come of it is held in memory. Callers that stream have
 * `SOCKET_TIMEOUT_MS` in all.
 */
export function lateMessages({ config, metrics }: Pick<Context, 'config' | 'metrics'>): ServerInterceptor {
  return ({ path, requestStream }, call) => {
    const ms = requestStream ? config.SOCKET_TIMEOUT_MS : config.REQUEST_TIMEOUT_MS
    let timer: NodeJS.Timeout | undefined
    let isOver = false
    const over = () => {
      isOver = true
      clearTimeout(timer)
    }
    const tooLate = () => {
      if (isOver) return
      const error = new ServiceError('request_timeout', 'the message was not sent in time')
      metrics.route(`grpc ${path.slice(path.lastIndexOf('/') + 1)}`).ended(error.statusCode, ms / 1000)
      call.sendStatus(statusOf(error))
      // The library would keep the stream, with what has come, until the caller ends it.
      ;(call as unknown as { stream: ServerHttp2Stream }).stream.close(constants.NGHTTP2_NO_ERROR)
    }
    return new ServerInterceptingCall(call, {
      start(next) {
        // After a stall what has come meanwhile is read first.
        timer = setTimeout(() => setImmediate(tooLate), ms)
        next({
          onReceiveHalfClose(pass) {
            over()
            pass()
          },
          onCancel: over
        })
      }
    })
  }
}
