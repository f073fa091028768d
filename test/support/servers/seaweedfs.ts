import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { writeFileSync } from 'node:fs'
import { installedFolder } from './installed.js'
import type { Minio } from './minio.js'
import { freePorts } from './ports.js'
import { CREDENTIALS, makeBucket, PLACE, s3Client, type S3Access } from './s3.js'
import { dataFolder, startServer } from './server.js'

const IDENTITIES = {
  identities: [
    {
      name: 'tests',
      credentials: [{ accessKey: CREDENTIALS.accessKeyId, secretKey: CREDENTIALS.secretAccessKey }],
      actions: ['Admin', 'Read', 'Write', 'List', 'Tagging']
    }
  ]
}

/** Starts SeaweedFS as an S3 server with an empty bucket: the stand-in of MinIO. */
export async function startSeaweedfs(): Promise<Minio> {
  const program = `${installedFolder('seaweedfs')}/python/bin/weed`
  const ports = await freePorts(8)
  const access: S3Access = { endpoint: `http://127.0.0.1:${ports[0]}`, ...CREDENTIALS, ...PLACE }
  const folder = dataFolder('seaweedfs')
  writeFileSync(`${folder}/identities.json`, JSON.stringify(IDENTITIES))
  const server = await startServer({
    name: 'seaweedfs',
    folder,
    command: [program, 'server', ...settings(folder, ports)],
    ready: () => storesObjects(access)
  })
  return Object.assign(server, access, { kind: 'seaweedfs' as const })
}

function settings(folder: string, ports: number[]): string[] {
  const [s3, s3Grpc, master, masterGrpc, volume, volumeGrpc, filer, filerGrpc] = ports
  const own = { port: s3, 'port.grpc': s3Grpc, 'port.iceberg': 0, 'port.lance': 0, config: `${folder}/identities.json` }
  const all = {
    ip: '127.0.0.1',
    'ip.bind': '127.0.0.1',
    dir: folder,
    filer: true,
    s3: true,
    'master.port': master,
    'master.port.grpc': masterGrpc,
    'master.telemetry': false,
    'master.volumeSizeLimitMB': 64,
    'volume.port': volume,
    'volume.port.grpc': volumeGrpc,
    'volume.max': 20,
    'filer.port': filer,
    'filer.port.grpc': filerGrpc,
    'filer.localSocket': `${folder}/filer.sock`,
    's3.localSocket': `${folder}/s3.sock`
  }
  const s3Settings = Object.entries(own).map(([name, value]) => `-s3.${name}=${value}`)
  return [...Object.entries(all).map(([name, value]) => `-${name}=${value}`), ...s3Settings]
}

/** The first object of a fresh server takes seconds, while its volumes grow: nobody else should wait for that. */
async function storesObjects(access: S3Access): Promise<boolean> {
  const { ok } = await fetch(`${access.endpoint}/healthz`, { signal: AbortSignal.timeout(2000) })
  if (!ok) return false
  await makeBucket(access)
  const client = s3Client(access)
  const object = { Bucket: access.bucket, Key: 'first' }
  try {
    await client.send(new PutObjectCommand({ ...object, Body: 'x' }), { abortSignal: AbortSignal.timeout(20_000) })
    await client.send(new DeleteObjectCommand(object))
  } finally {
    client.destroy()
  }
  return true
}
