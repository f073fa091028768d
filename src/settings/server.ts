import { filled, integer, ms, text, toggle } from './kinds.js'

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** Settings of the listeners, their connections, the stop and the log. */
export const ServerSettings = {
  HOST: filled('Address to listen on. Of a host name, the first address is taken.', '127.0.0.1'),
  PORT: integer(8080, 0, 65_535, 'Port to listen on. 0 takes a free port.'),
  ADMIN_PORT: integer(
    -1,
    -1,
    65_535,
    'Second port, with all routes. The routes of operators are then on this port only. 0 takes a free port. With -1 there is no second port, and callers of this host reach the routes of operators on `PORT`.'
  ),
  ADMIN_HOST: text('Address of `ADMIN_PORT`. Empty for the address of `HOST`.', '^[^\\u0000]*$'),
  ADMIN_TOKEN: text(
    'Bearer token of the admin routes, 16 characters or more. Empty turns the admin routes off.',
    '^([!-~]{16,})?$'
  ),
  MAX_CONNECTIONS: integer(
    4096,
    16,
    1_000_000,
    'Most connections of a listener. For a further connection the oldest idle one is closed.'
  ),
  REQUEST_TIMEOUT_MS: ms(2000, 'Time a client may take to send a request, headers and body.', 100),
  SOCKET_TIMEOUT_MS: ms(30_000, 'Time a client may leave an answer unread. Then the connection is cut.', 100),
  KEEP_ALIVE_MS: ms(
    72_000,
    'Time a connection without requests is kept. A load balancer must keep its own for less time.'
  ),
  DRAIN_DELAY_MS: ms(2000, 'After SIGTERM: time of not-ready, in which requests are still answered.', 0),
  GRACE_MS: ms(10_000, 'After SIGTERM: time by which the process has exited, `DRAIN_DELAY_MS` included.'),
  LOG_LEVEL: { type: 'string', enum: LOG_LEVELS, default: 'info', description: 'Least severe level that is logged.' },
  LOG_REQUESTS: toggle('One log line for each request.')
} as const
