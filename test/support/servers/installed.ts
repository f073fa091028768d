import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../../../', import.meta.url)
const VERSIONS = readFileSync(new URL('test/servers/versions.sh', ROOT), 'utf8')

type Part = 'minio' | 'kafka' | 'mlflow' | 'openapi' | 'grpcurl'

/** The folder into which test/servers/install.sh put a part, in the version that it installs; throws where the part is missing. */
export function installedFolder(part: Part): string {
  const version = new RegExp(`^${part.toUpperCase()}=(.+)$`, 'm').exec(VERSIONS)![1]
  const folder = fileURLToPath(new URL(`.services/${part}-${version}`, ROOT))
  if (!existsSync(`${folder}/.installed`)) throw new Error(`${part} is not installed: run test/servers/install.sh`)
  return folder
}
