import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { freePorts } from '../servers/ports.js'
import type { ComposeService, Services } from './file.js'

/** Where a service listens, in its container and here: `mlflow:5000` is a key. */
export type Ports = ReadonlyMap<string, number>

const ROOT = resolve('.')
const OWN = String.raw`0\.0\.0\.0|127\.0\.0\.1`

function addresses(services: Services): RegExp {
  return new RegExp(String.raw`(?<![\w.-])(${Object.keys(services).join('|')}|${OWN})([:/])(\d+)`, 'g')
}

const keyOf = (service: string, host: string, port: string) => `${/^\d/.test(host) ? service : host}:${port}`

/** A free port of this machine for every port that a service of the file names. */
export async function nativePorts(services: Services): Promise<Map<string, number>> {
  const keys = new Set<string>()
  for (const [name, service] of Object.entries(services)) {
    const text = [JSON.stringify(service), ...mountedTexts(service)].join('\n')
    for (const [, host, , port] of text.matchAll(addresses(services))) keys.add(keyOf(name, host!, port!))
    for (const { target } of service.ports ?? []) keys.add(`${name}:${target}`)
  }
  const ports = await freePorts(keys.size)
  return new Map([...keys].map((key, index) => [key, ports[index]!]))
}

/** Files of ops/ that a service mounts: those name other services. haproxy.cfg does not, and is used as it is. */
function mountedTexts({ volumes = [] }: ComposeService): string[] {
  return volumes.filter(isRewritten).flatMap(({ source }) => filesOf(source).map(file => readFileSync(file, 'utf8')))
}

interface Mount {
  type: string
  source: string
  target: string
}

const isRewritten = ({ type, source }: Mount) => type === 'bind' && source.startsWith(`${ROOT}/ops/`)

function filesOf(path: string): string[] {
  return statSync(path).isDirectory() ? readdirSync(path).flatMap(name => filesOf(join(path, name))) : [path]
}

export interface NativeOptions {
  name: string
  /** of the service alone: its volumes and mounted files lie there */
  folder: string
  ports: Ports
  /** programs that an image has, by where they are in it */
  paths: Map<string, string>
  /** changes a file of ops/ for a test */
  edit(path: string, text: string): string
}

/** Says what of a service's text stands for in a process on this machine: addresses, ports and paths. */
export class Native {
  readonly #name: string
  readonly #service: ComposeService
  readonly #addresses: RegExp
  readonly #ports: Ports
  /** by path in the container */
  readonly #paths: Map<string, string>

  constructor(services: Services, options: NativeOptions) {
    const { name, folder, ports, paths, edit } = options
    this.#name = name
    this.#service = services[name]!
    this.#addresses = addresses(services)
    this.#ports = ports
    this.#paths = new Map(paths)
    for (const target of ['/tmp', ...this.#volumes()]) {
      this.#paths.set(target, join(folder, 'volumes', target))
      mkdirSync(join(folder, 'volumes', target), { recursive: true })
    }
    // Volumes first: a mounted file may name a path in one.
    for (const mount of this.#service.volumes ?? []) if (mount.type === 'bind') this.#mount(mount, folder, edit)
    this.#paths.set('/app', ROOT)
  }

  /** A text of compose.yaml, or of a file that it mounts. */
  text(text: string): string {
    const own = (port: string) => this.#port(`${this.#name}:${port}`)
    const targets = [...this.#paths.keys()].sort((a, b) => b.length - a.length).join('|')
    return text
      .replaceAll(new RegExp(String.raw`(?<![\w.-])(${targets})(?=[/\s"']|$)`, 'g'), path => this.#paths.get(path)!)
      .replaceAll(this.#addresses, (_, host: string, separator: string, port: string) => {
        return `127.0.0.1${separator}${this.#port(keyOf(this.#name, host, port))}`
      })
      .replaceAll(/(--(?:web-)?port=)(\d+)/g, (_, flag: string, port: string) => `${flag}${own(port)}`)
      .replaceAll(/(?<![\d.])0\.0\.0\.0(?![\d.])/g, '127.0.0.1')
  }

  /** The variables of the container, and what any process here needs. */
  environment(): Record<string, string> {
    const variables = Object.entries(this.#service.environment ?? {}).map(([name, value]) => [
      name,
      name === 'PORT' || name === 'ADMIN_PORT' ? String(this.#port(`${this.#name}:${value}`)) : this.text(value)
    ])
    return { PATH: `${process.env.PATH}:/usr/sbin`, ...Object.fromEntries(variables) }
  }

  #volumes(): string[] {
    return (this.#service.volumes ?? []).filter(({ type }) => type === 'volume').map(({ target }) => target)
  }

  #mount(mount: Mount, folder: string, edit: NativeOptions['edit']): void {
    const { source, target } = mount
    if (!isRewritten(mount)) return void this.#paths.set(target, source)
    const copy = join(folder, 'mounts', target)
    mkdirSync(dirname(copy), { recursive: true })
    cpSync(source, copy, { recursive: true })
    for (const file of filesOf(copy)) {
      const path = `${source}${file.slice(copy.length)}`.slice(ROOT.length + 1)
      writeFileSync(file, this.text(edit(path, readFileSync(file, 'utf8'))))
    }
    this.#paths.set(target, copy)
  }

  #port(key: string): number {
    const port = this.#ports.get(key)
    if (port === undefined) throw new Error(`compose.yaml names no port ${key}`)
    return port
  }
}
