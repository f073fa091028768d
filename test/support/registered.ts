import { PutObjectCommand } from '@aws-sdk/client-s3'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Kafka as KafkaClient, logLevel } from 'kafkajs'
import type { Test } from 'tap'
import { gru, type TestBundle } from './bundles.js'
import { shifted } from './onnx-bytes.js'
import { askMlflow, newName } from './registry.js'
import { type KafkaAccess, type MlflowAccess, PROMOTIONS_TOPIC, s3Client, type S3Access } from './stores.js'

/** The three files of a bundle. */
interface Files {
  'model.json': string
  'golden.json': string
  'model.onnx': Uint8Array
}

/** A bundle's files, and the bundle that a caller may compare answers with. */
export interface Candidate {
  files: Files
  bundle: TestBundle
}

const MODEL = 'models/gru/model.onnx'

/** The committed bundle with another model, whose digest its manifest states; the golden answers are as they were. */
export function withModel(model: Uint8Array = readFileSync(MODEL)): Candidate {
  const bundle = gru()
  const manifest = { ...bundle.manifest, sha256: createHash('sha256').update(model).digest('hex') }
  return candidate({ ...bundle, manifest }, model)
}

/** The committed model with a last step that adds `shift` bits to the first column, and the golden answers that go with it. */
export function shiftedBy(shift: number): Candidate {
  const { manifest } = gru()
  const vector = manifest.features.map((_, feature) => (feature === 0 ? shift : 0))
  const model = shifted(readFileSync(MODEL), vector)
  const { bundle } = withModel(model)
  for (const { forecast } of bundle.golden.windows) forecast[0]! += shift
  delete bundle.golden.rollouts
  return candidate(bundle, model)
}

function candidate(bundle: TestBundle, model: Uint8Array): Candidate {
  const { manifest, golden } = bundle
  return {
    bundle,
    files: { 'model.json': JSON.stringify(manifest), 'golden.json': JSON.stringify(golden), 'model.onnx': model }
  }
}

/** A registered model, written to as `register` and `promote` do, without what they check. */
export interface Registered {
  name: string
  /** address of the folder that the versions lie in */
  home: string
  /** puts the files under the prefix and makes the next version, whose number is the answer */
  add(files: Files): Promise<string>
  /** overwrites files of a version that `add` made */
  overwrite(version: string, files: Partial<Files>): Promise<void>
  /** makes a version that lies anywhere, or says it does */
  point(source: string): Promise<string>
  /** moves the alias; nobody is told */
  promote(version: string): Promise<void>
}

/** Where the files of versions are put: the address of a folder, and how one file gets into it. */
interface Shelf {
  address: string
  /** of MLflow, which the files belong to; a version that lies behind MLflow's server must have one */
  run_id?: string
  put(path: string, body: string | Uint8Array): Promise<unknown>
}

function bucketShelf(t: Pick<Test, 'teardown'>, s3: S3Access): Shelf {
  const client = s3Client(s3)
  t.teardown(() => client.destroy())
  return {
    address: `s3://${s3.bucket}/${s3.prefix}`,
    put: (path, Body) => client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: `${s3.prefix}/${path}`, Body }))
  }
}

/** Behind MLflow's own server, as its clients put them: in the folder of a run. */
async function proxyShelf(mlflow: MlflowAccess, name: string): Promise<Shelf> {
  const { experiment_id } = await askMlflow<{ experiment_id: string }>(mlflow, 'experiments/create', { name })
  type Run = { run: { info: { run_id: string; artifact_uri: string } } }
  const { run } = await askMlflow<Run>(mlflow, 'runs/create', { experiment_id })
  const { run_id, artifact_uri: address } = run.info
  const home = `${mlflow.url}/api/2.0/mlflow-artifacts/artifacts${address.slice('mlflow-artifacts:'.length)}`
  return {
    address,
    run_id,
    async put(path, body) {
      const { status } = await fetch(`${home}/${path}`, { method: 'PUT', body: Buffer.from(body) })
      if (status !== 200) throw new Error(`MLflow answers ${status} for ${path}`)
    }
  }
}

/** Makes a new registered model; without a bucket its files go through MLflow. */
export async function registered(
  t: Pick<Test, 'teardown'>,
  s3: S3Access | undefined,
  mlflow: MlflowAccess
): Promise<Registered> {
  const name = newName()
  const shelf = s3 ? bucketShelf(t, s3) : await proxyShelf(mlflow, name)
  const folders: Record<string, string> = {}
  const put = async (folder: string, files: Partial<Files>) => {
    for (const [file, body] of Object.entries(files)) await shelf.put(`${folder}/${file}`, body)
  }
  const version = async (source: string, tags: { key: string; value: string }[] = []) => {
    const answer = await askMlflow<{ model_version: { version: string } }>(mlflow, 'model-versions/create', {
      name,
      source,
      tags,
      run_id: shelf.run_id
    })
    return answer.model_version.version
  }
  await askMlflow(mlflow, 'registered-models/create', { name })
  return {
    name,
    home: `${shelf.address}/${name}`,
    async add(files) {
      const folder = `${name}/${Object.keys(folders).length + 1}`
      await put(folder, files)
      const value = createHash('sha256').update(files['model.onnx']).digest('hex')
      const made = await version(`${shelf.address}/${folder}`, [{ key: 'sha256', value }])
      folders[made] = folder
      return made
    },
    overwrite: (made, files) => put(folders[made]!, files),
    point: source => version(source),
    async promote(version) {
      await askMlflow(mlflow, 'registered-models/alias', { name, alias: 'promoted', version })
    }
  }
}

/** A new registered model with these versions, of which the first is promoted. */
export async function published(
  t: Pick<Test, 'teardown'>,
  { s3, mlflow }: { s3?: S3Access; mlflow: MlflowAccess },
  versions: Record<string, Candidate>
): Promise<Registered> {
  const model = await registered(t, s3, mlflow)
  for (const { files } of Object.values(versions)) await model.add(files)
  await model.promote('1')
  return model
}

/** Sends each value to the topic of promotions as it is. Throws where no broker takes them. */
export async function tell({ brokers }: KafkaAccess, values: (string | Buffer | null)[]): Promise<void> {
  const producer = new KafkaClient({ brokers, logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  try {
    await producer.send({ topic: PROMOTIONS_TOPIC, messages: values.map(value => ({ key: 'any', value })) })
  } finally {
    await producer.disconnect()
  }
}
