import { installedFolder } from './installed.js'
import { freePorts } from './ports.js'
import { CREDENTIALS, makeBucket, PLACE, type S3Access } from './s3.js'
import { dataFolder, type Server, startServer } from './server.js'

export type Minio = Server & S3Access

/** Starts an S3 server with an empty bucket. */
export async function startMinio(): Promise<Minio> {
  const program = installedFolder('minio')
  const [port] = await freePorts(1)
  const access: S3Access = { endpoint: `http://127.0.0.1:${port}`, ...CREDENTIALS, ...PLACE }
  const folder = dataFolder('minio')
  const server = await startServer({
    name: 'minio',
    folder,
    command: [`${program}/minio`, 'server', '--quiet', '--address', `127.0.0.1:${port}`, `${folder}/data`],
    env: {
      MINIO_ROOT_USER: access.accessKeyId,
      MINIO_ROOT_PASSWORD: access.secretAccessKey,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off'
    },
    async ready() {
      const { ok } = await fetch(`${access.endpoint}/minio/health/ready`, { signal: AbortSignal.timeout(2000) })
      if (ok) await makeBucket(access)
      return ok
    }
  })
  return Object.assign(server, access)
}
