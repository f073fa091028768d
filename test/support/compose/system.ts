import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { CREDENTIALS } from '../servers/s3.js'
import { dataFolder, type Server, startServer } from '../servers/server.js'
import { type ComposeService, readCompose, type Services } from './file.js'
import { Native, nativePorts } from './native.js'
import { imagePaths, programOf } from './programs.js'

const run = promisify(execFile)
const JOB_MS = 120_000

/** What compose.yaml needs from its caller, for tests. */
export const SECRETS = {
  S3_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  S3_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  ADMIN_TOKEN: 'token-of-the-system-tests',
  GRAFANA_ADMIN_PASSWORD: 'password-of-the-system-tests'
}

export interface SystemOptions {
  /** variables that compose.yaml takes, beside the secrets */
  settings?: Record<string, string>
  /** variables of single containers that a test wants otherwise, by the container's name */
  environment?: Record<string, Record<string, string>>
  /** changes a file of ops/ before a container gets it */
  edit?(path: string, text: string): string
}

/** The system that compose.yaml describes, as processes of this machine. */
export class NativeSystem {
  readonly #services: Services
  readonly #edit: NonNullable<SystemOptions['edit']>
  readonly #ports: Map<string, number>
  readonly #running = new Map<string, Server>()
  readonly #started = new Map<string, Promise<void>>()
  readonly #folders: string[] = []

  private constructor(services: Services, ports: Map<string, number>, { edit = (_, text) => text }: SystemOptions) {
    this.#services = services
    this.#ports = ports
    this.#edit = edit
  }

  /** Reads compose.yaml; nothing runs yet. What is started ends with the test. */
  static async of(t: Test, options: SystemOptions = {}): Promise<NativeSystem> {
    const services = await readCompose({ ...SECRETS, ...options.settings })
    for (const [name, variables] of Object.entries(options.environment ?? {})) {
      services[name]!.environment = { ...services[name]!.environment, ...variables }
    }
    const system = new NativeSystem(services, await nativePorts(services), options)
    t.teardown(() => system.#stop())
    return system
  }

  /** A service that runs, to be killed, frozen and restarted. */
  server(name: string): Server {
    return this.#running.get(name)!
  }

  /** Where a service's port of the container is reached. */
  url(name: string, port: number): string {
    return `http://127.0.0.1:${this.#ports.get(`${name}:${port}`)!}`
  }

  /** Starts a service once, after all that it depends on has come to the condition that it names; resolves when healthy. */
  start(name: string): Promise<void> {
    const started = this.#started.get(name) ?? this.#begin(name)
    this.#started.set(name, started)
    return started
  }

  /** Runs a job of the file to its end, as `docker compose run` does; gives what it printed. Paths given are this machine's. */
  async run(name: string, ...given: string[]): Promise<string> {
    const service = this.#services[name]!
    const { native } = this.#native(name)
    const command = this.#command(native, service, given.length > 0 ? [] : (service.command ?? []))
    const [program, ...args] = [...command, ...given]
    const { stdout } = await run(program!, args, { env: native.environment(), timeout: JOB_MS })
    return stdout
  }

  async #begin(name: string): Promise<void> {
    const service = this.#services[name]!
    const needed = Object.entries(service.depends_on ?? {})
    await Promise.all(needed.map(([other]) => this.start(other)))
    if (this.#isJob(name)) await this.run(name)
    else await this.#serve(name, service)
  }

  #isJob(name: string): boolean {
    const all = Object.values(this.#services)
    return all.some(({ depends_on }) => depends_on?.[name]?.condition === 'service_completed_successfully')
  }

  async #serve(name: string, service: ComposeService): Promise<void> {
    const { native, folder } = this.#native(name)
    const env = native.environment()
    const [kind, ...check] = service.healthcheck!.test
    if (kind !== 'CMD') throw new Error(`the health check of ${name} is no CMD`)
    const [program, ...args] = this.#command(native, { ...service, entrypoint: check }, [])
    const server = await startServer({
      name,
      folder,
      env,
      command: this.#command(native, service, service.command ?? []),
      ready: async () => run(program!, args, { env, timeout: 10_000 }).then(() => true)
    })
    this.#running.set(name, server)
  }

  #command(native: Native, service: ComposeService, command: string[]): string[] {
    const [program, ...args] = [...service.entrypoint!, ...command]
    return [programOf(program!, service), ...args.map(text => native.text(text))]
  }

  #native(name: string) {
    const folder = dataFolder(name)
    this.#folders.push(folder)
    const options = { name, folder, ports: this.#ports, paths: imagePaths(folder), edit: this.#edit }
    return { folder, native: new Native(this.#services, options) }
  }

  async #stop(): Promise<void> {
    await Promise.allSettled(this.#started.values())
    await Promise.all([...this.#running.values()].map(server => server.stop()))
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true })
  }
}
