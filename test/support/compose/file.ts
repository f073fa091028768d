import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

const COMPOSE = '.services/compose/bin/docker-compose'

/** A service of compose.yaml, as `docker compose config` gives it: merged, with its variables filled in. */
export interface ComposeService {
  build?: { target?: string; args?: Record<string, string> }
  image: string
  pull_policy?: string
  profiles?: string[]
  user?: string
  entrypoint: string[] | null
  command: string[] | null
  environment?: Record<string, string>
  volumes?: { type: 'bind' | 'volume'; source: string; target: string; read_only?: boolean }[]
  tmpfs?: string[]
  ports?: { host_ip?: string; published: string; target: number }[]
  depends_on?: Record<string, { condition: string }>
  healthcheck?: { test: string[] }
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  deploy?: { resources?: { limits?: { cpus?: number; memory?: string; pids?: number } } }
}

export type Services = Record<string, ComposeService>

/** Every service of compose.yaml, those of profiles too. Rejects with what Compose says if it does not take the file. */
export async function readCompose(secrets: Record<string, string>): Promise<Services> {
  // No file of the user's own: what is not in `secrets` is missing.
  const args = ['--env-file', '/dev/null', '--profile', '*', 'config', '--format', 'json']
  const env = { PATH: process.env.PATH, ...secrets }
  const { stdout } = await run(COMPOSE, args, { env, maxBuffer: 16_777_216 })
  return (JSON.parse(stdout) as { services: Services }).services
}
