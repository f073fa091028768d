import { ANY, filled, type Form, integer, ms, text, toggle } from './kinds.js'

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
const TOKEN: Form = { words: '16 or more printable characters without spaces', pattern: '^([!-~]{16,})?$' }
const ORIGINS: Form = {
  words: '`*`, or origins such as `https://a.example` with commas between',
  pattern: '^(\\*|https?://[^,/]+(,https?://[^,/]+)*)?$'
}

/** What is wrong with origins taken one by one, as one line that names the variable. */
export function originsComplaint({ CORS_ORIGINS }: { CORS_ORIGINS: string }): string | undefined {
  if (CORS_ORIGINS === '' || CORS_ORIGINS === '*') return undefined
  const bad = CORS_ORIGINS.split(',').findIndex(text => !URL.canParse(text) || new URL(text).origin !== text)
  return bad === -1 ? undefined : `CORS_ORIGINS must have origins as browsers write them: number ${bad + 1} is none`
}

/** Settings of the listeners, their connections, the stop and the log. */
export const ServerSettings = {
  HOST: filled('Address to listen on. A host name stands for its first address.', '127.0.0.1'),
  PORT: integer(8080, 0, 65_535, 'Port to listen on. 0 takes a free port.'),
  ADMIN_PORT: integer(
    -1,
    -1,
    65_535,
    'Second port, with all routes. The routes of operators are then on this port only. 0 takes a free port. -1 opens no second port: callers on the same host then reach the routes of operators on `PORT`.'
  ),
  ADMIN_HOST: text('Address of `ADMIN_PORT`. Empty for the address of `HOST`.', ANY),
  ADMIN_TOKEN: text('Bearer token of the admin routes. Empty turns the admin routes off.', TOKEN),
  API_KEYS_FILE: text(
    'File with the keys of callers, a line `name:sha256-hex` for each. SIGHUP reads the file again. Empty asks nobody for a key.',
    ANY
  ),
  CORS_ORIGINS: text(
    'Origins whose pages may call the service from a browser. Empty for none but the page of the service.',
    ORIGINS
  ),
  GRPC_PORT: integer(
    -1,
    -1,
    65_535,
    'Port for gRPC calls of the Open Inference Protocol, on the address of `HOST`. 0 takes a free port. -1 turns gRPC off.'
  ),
  GRPC_CONNECTION_AGE_MS: ms(
    300_000,
    'Time after which a gRPC connection is asked to end, so that callers come to new replicas. Calls under way are answered.',
    1000
  ),
  MAX_CONNECTIONS: integer(
    4096,
    16,
    1_000_000,
    'Most connections of a listener. A further connection closes the one that has been idle for longest. On `GRPC_PORT` the further connection itself is closed.'
  ),
  REQUEST_TIMEOUT_MS: ms(2000, 'Time for a client to send a request, headers and body.', 100),
  SOCKET_TIMEOUT_MS: ms(
    30_000,
    'Longest time without progress while a client reads an answer. After this time the connection is cut.',
    100
  ),
  KEEP_ALIVE_MS: ms(
    72_000,
    'Time for which an idle connection stays open. A load balancer must close idle connections sooner.'
  ),
  DRAIN_DELAY_MS: ms(2000, 'Time after SIGTERM in which the replica is not ready but still answers requests.', 0),
  GRACE_MS: ms(10_000, 'Longest time from SIGTERM to the exit of the process, `DRAIN_DELAY_MS` included.'),
  LOG_LEVEL: {
    type: 'string',
    enum: LOG_LEVELS,
    default: 'info',
    description: 'Lowest level of log lines that are written.'
  },
  LOG_REQUESTS: toggle('Whether each request gets a log line.')
} as const
