import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { BenchError } from '../errors.js'

/** Back ends that send requests to a replica, each under the replica's name, `r1-last` where it is the last resort. */
const BACKENDS = ['replicas', 'large']

/** One replica as HAProxy sees it; counts are of all its places together. */
interface ServerStats {
  /** `UP`, `DOWN`, `DRAIN`, `MAINT`, or on the way between two, as `DOWN 1/2` */
  status: string
  /** requests that it is answering */
  sessions: number
  /** requests with ordinary bodies that it may be answering at once; the others wait in HAProxy */
  maxconn: number
  /** requests that have been sent to it */
  requests: number
  /** its 2xx answers */
  ok: number
}

/** HAProxy's own counters, since its start unless they say otherwise. */
export interface HaproxyStats {
  /** requests sent again to the same server, and to another */
  retries: number
  redispatches: number
  /** requests that wait for a place on a server now, and the most that have since `clearMaxima` */
  queued: number
  queueMax: number
  /** client connections now */
  frontendSessions: number
  servers: Record<string, ServerStats>
}

type Row = Record<string, string>

/** HAProxy's runtime API on its stats socket (management guide, section 9.3). */
export class RuntimeApi {
  readonly #socket: string

  constructor(socket: string) {
    this.#socket = socket
  }

  /**
   * Resolves to what a command prints; several go in one line, with `;` between them.
   * @throws BenchError `child_died` when HAProxy does not answer
   */
  async ask(command: string): Promise<string> {
    try {
      const socket = connect(this.#socket)
      socket.write(`${command}\n`)
      return await text(socket)
    } catch (cause) {
      throw new BenchError('child_died', 'HAProxy does not answer on its stats socket', { cause })
    }
  }

  /**
   * Gives an order, which prints nothing when it is obeyed.
   * @throws BenchError `target_down` with HAProxy's objection
   */
  async order(command: string): Promise<void> {
    const objection = (await this.ask(command)).trim()
    if (objection !== '') throw new BenchError('target_down', `HAProxy refused "${command}": ${objection}`)
  }

  async version(): Promise<string> {
    const info = await this.ask('show info')
    return /^Version: (.*)$/m.exec(info)?.[1] ?? 'unknown'
  }

  /** Starts the maxima anew; counters go on. */
  clearMaxima(): Promise<void> {
    return this.order('clear counters')
  }

  async stats(): Promise<HaproxyStats> {
    const rows = parseCsv(await this.ask('show stat'))
    const row = (proxy: string, name: string): Row =>
      rows.find(({ pxname, svname }) => pxname === proxy && svname === name)!
    const backends = BACKENDS.map(name => row(name, 'BACKEND'))
    const places = rows.filter(({ pxname, svname }) => BACKENDS.includes(pxname!) && svname !== 'BACKEND')
    const replicas = places.filter(({ pxname, svname }) => pxname === 'replicas' && /^r\d+$/.test(svname!))
    return {
      retries: total(backends, 'wretr'),
      redispatches: total(backends, 'wredis'),
      queued: total(backends, 'qcur'),
      queueMax: total(backends, 'qmax'),
      frontendSessions: Number(row('service', 'FRONTEND').scur),
      servers: Object.fromEntries(
        replicas.map(replica => {
          const own = places.filter(({ svname }) => svname!.split('-')[0] === replica.svname)
          return [replica.svname!, serverStats(replica, own)]
        })
      )
    }
  }
}

function serverStats({ status = '', slim }: Row, places: Row[]): ServerStats {
  return {
    status,
    maxconn: Number(slim),
    sessions: total(places, 'scur'),
    requests: total(places, 'stot'),
    ok: total(places, 'hrsp_2xx')
  }
}

function total(rows: Row[], field: string): number {
  return rows.reduce((sum, row) => sum + Number(row[field]), 0)
}

/** The statistics as CSV with a headline; no field that is read here is ever quoted. */
function parseCsv(csv: string): Row[] {
  const [head = '', ...lines] = csv.trim().split('\n')
  const names = head.replace(/^# /, '').split(',')
  return lines.map(line => {
    const fields = line.split(',')
    return Object.fromEntries(names.map((name, index) => [name, fields[index] ?? '']))
  })
}
