import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../../../', import.meta.url)
const VERSIONS = readFileSync(new URL('test/servers/versions.sh', ROOT), 'utf8')

type Part = 'minio' | 'seaweedfs' | 'kafka' | 'mlflow'

/** The folder into which test/servers/install.sh put a server, in the version that it installs; undefined if it did not. */
export function installed(part: Part): string | undefined {
  const version = new RegExp(`^${part.toUpperCase()}=(.+)$`, 'm').exec(VERSIONS)![1]
  const folder = fileURLToPath(new URL(`.services/${part}-${version}`, ROOT))
  return existsSync(`${folder}/.installed`) ? folder : undefined
}

/** As `installed`; throws where the part is missing. */
export function installedFolder(part: Part): string {
  const folder = installed(part)
  if (folder === undefined) throw new Error(`${part} is not installed: run test/servers/install.sh`)
  return folder
}
