import * as zlib from 'node:zlib'

interface Unpacked {
  buffer: Buffer
  /** what has unpacked it */
  engine: { bytesWritten: number }
}
type Done = (error: NodeJS.ErrnoException | null, unpacked: Unpacked) => void
/** Unpacks bytes, up to `maxOutputLength`. */
export type Unpack = (packed: Buffer, maxOutputLength: number, done: Done) => void

/** zlib's functions have a third form, with `info`, that their types do not know; zstd is Node's from 22.15 on. */
type Zlib = Record<
  'gunzip' | 'inflate' | 'zstdDecompress',
  ((packed: Buffer, options: object, done: Done) => void) | undefined
>

/** log2 of the bytes that zstd may look back: what RFC 8878 asks every reader to hold. A sender could make it 128 MiB. */
const ZSTD_WINDOW_LOG = 23

function unpackerOf(name: keyof Zlib, params?: Record<number, number>): Unpack | undefined {
  const unpack = (zlib as unknown as Zlib)[name]
  if (unpack === undefined) return undefined
  return (packed, maxOutputLength, done) =>
    unpack(packed, { maxOutputLength, info: true, ...(params && { params }) }, done)
}

function codings(): Map<string, Unpack> {
  const { ZSTD_d_windowLogMax: windowLog = 0 } = zlib.constants as unknown as Record<string, number>
  const gzip = unpackerOf('gunzip')
  const all: [string, Unpack | undefined][] = [
    ['gzip', gzip],
    ['x-gzip', gzip],
    ['deflate', unpackerOf('inflate')],
    ['zstd', unpackerOf('zstdDecompress', { [windowLog]: ZSTD_WINDOW_LOG })]
  ]
  return new Map(all.filter((coding): coding is [string, Unpack] => coding[1] !== undefined))
}

/** How each coding of a body, by its name in `content-encoding`, is unpacked by this Node. */
export const CODINGS: ReadonlyMap<string, Unpack> = codings()

/** The names by which callers are told what they may send. */
export const TAKEN = [...CODINGS.keys()].filter(name => name !== 'x-gzip').join(', ')
