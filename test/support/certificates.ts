import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

/** A certificate and its key, as files and as text. */
export interface Certificate {
  cert: string
  key: string
  /** both in one file, as HAProxy takes them */
  pem: string
}

/** An authority that signs certificates with openssl. */
export class Authority {
  readonly #folder: string
  readonly #name: string
  readonly cert: string
  /** file of its certificate */
  readonly file: string

  constructor(folder: string, name: string) {
    this.#folder = folder
    this.#name = name
    const { certFile } = this.#files(name)
    this.#openssl(['req', '-x509', ...this.#request(name)], name)
    this.file = certFile
    this.cert = readFileSync(certFile, 'utf8')
  }

  /** A certificate that it has signed, for this host's loopback address. */
  sign(name: string): Certificate {
    const { certFile, keyFile, pem } = this.#files(name)
    const own = this.#files(this.#name)
    this.#openssl(['req', '-x509', ...this.#request(name), '-CA', own.certFile, '-CAkey', own.keyFile], name)
    const [cert, key] = [certFile, keyFile].map(file => readFileSync(file, 'utf8')) as [string, string]
    writeFileSync(pem, cert + key)
    return { cert, key, pem }
  }

  #request(name: string): string[] {
    const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    return [...fresh, '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1']
  }

  #files(name: string) {
    const path = `${this.#folder}/${name}`
    return { certFile: `${path}.crt`, keyFile: `${path}.key`, pem: `${path}.pem` }
  }

  #openssl(args: string[], name: string): void {
    const { certFile, keyFile } = this.#files(name)
    execFileSync('openssl', [...args, '-keyout', keyFile, '-out', certFile], { stdio: 'pipe' })
  }
}
