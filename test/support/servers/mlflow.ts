import { installedFolder } from './installed.js'
import { freePorts } from './ports.js'
import { s3Environment, type S3Access } from './s3.js'
import { dataFolder, type Server, startServer } from './server.js'

export interface MlflowAccess {
  /** the tracking URI, e.g. `http://127.0.0.1:5000` */
  url: string
}

export interface Mlflow extends Server, MlflowAccess {}

export interface MlflowOptions {
  /** where the artifacts go: `s3://BUCKET/PREFIX/...`. It need not run while MLflow starts; without one into a folder of its own */
  s3?: S3Access | undefined
  /** as MLflow does by itself: artifacts go through the server, and their addresses are `mlflow-artifacts:`. Always without `s3` */
  isProxy?: boolean
  /** Host headers that are taken, as MLflow's option of that name; default: this machine */
  allowedHosts?: string
}

/** Starts MLflow's tracking server and registry with an empty database. */
export async function startMlflow(options: MlflowOptions): Promise<Mlflow> {
  const { s3, allowedHosts = '127.0.0.1:*,localhost:*' } = options
  const [port] = await freePorts(1)
  const url = `http://127.0.0.1:${port}`
  const folder = dataFolder('mlflow')
  const server = await startServer({
    name: 'mlflow',
    folder,
    command: [
      ...[`${installedFolder('mlflow')}/python/bin/python`, '-m', 'mlflow', 'server'],
      ...['--host', '127.0.0.1', '--port', String(port), '--workers', '1', '--allowed-hosts', allowedHosts],
      ...['--backend-store-uri', `sqlite:///${folder}/mlflow.db`],
      ...artifacts(options)
    ],
    env: {
      ...(s3 && s3Environment(s3)),
      // A job runner and seven more processes otherwise.
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
      MLFLOW_DISABLE_TELEMETRY: 'true',
      DO_NOT_TRACK: 'true'
    },
    ready: () => answers(url)
  })
  return Object.assign(server, { url })
}

/** Through the server as by default, into a bucket or `mlartifacts` in its folder; or an artifact's address is its bucket and key. */
function artifacts({ s3, isProxy = false }: MlflowOptions): string[] {
  if (!s3) return []
  const root = `s3://${s3.bucket}/${s3.prefix}`
  return isProxy ? ['--artifacts-destination', root] : ['--no-serve-artifacts', '--default-artifact-root', root]
}

/**
 * `/health` answers before the database does, and to whoever asks: this route does not. A refusal of the Host header is
 * an answer as well, for tests that want it.
 */
async function answers(url: string): Promise<boolean> {
  const route = `${url}/api/2.0/mlflow/experiments/search?max_results=1`
  const { status } = await fetch(route, { signal: AbortSignal.timeout(5000) })
  return status === 200 || status === 403
}
