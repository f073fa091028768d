import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import { s3Environment } from './servers/s3.js'
import type { MlflowAccess, Stores } from './stores.js'

const PYTHON = 'training/.venv-registry/bin/python'

/** How a command of training/ ended. */
export interface Ended {
  code: number
  stdout: string
  stderr: string
}

/** What the commands of training/ are told of: what is left out is not in their environment. */
export interface Told extends Partial<Pick<Stores, 's3' | 'kafka'>>, Pick<Stores, 'mlflow'> {
  /** further variables */
  env?: Record<string, string>
}

/** Runs `python -m gru_training` with the stores in its environment; it knows no others. */
export function training({ s3, kafka, mlflow, env: further }: Told, ...args: string[]): Promise<Ended> {
  const env = {
    PATH: process.env.PATH,
    ...(s3 && s3Environment(s3)),
    MLFLOW_TRACKING_URI: mlflow.url,
    ...(kafka && { KAFKA_BROKERS: kafka.brokers.join(',') }),
    ...further
  }
  return new Promise((resolve, reject) => {
    execFile(PYTHON, ['-m', 'gru_training', ...args], { env, timeout: 300_000 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error)
      else resolve({ code: Number(error?.code ?? 0), stdout, stderr })
    })
  })
}

/** Registers the folder of a bundle; the answer is what the command printed. */
export async function register(stores: Told, folder: string, name: string): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await training(stores, 'register', '--bundle', folder, '--name', name)
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Record<string, unknown>
}

/** A copy of the small LSTM bundle whose test score is the one that is given; its model is the same. */
export function scored(t: Test, score: number): string {
  const folder = t.testdir({ [`scored-${score}`]: {} }) + `/scored-${score}`
  cpSync('test/fixtures/bundles/lstm-small', folder, { recursive: true })
  const manifest = JSON.parse(readFileSync(`${folder}/model.json`, 'utf8')) as { metrics: object }
  manifest.metrics = { test: { avg2_nrmse: score } }
  writeFileSync(`${folder}/model.json`, JSON.stringify(manifest))
  return folder
}

/** For a model or an experiment: a test may use stores that others use too. */
export const newName = () => `test-${randomUUID()}`

/** MLflow's answer to a GET, or to a POST where there is a body. `path` is below `/api/2.0/mlflow/`. */
export async function askMlflow<T>({ url }: MlflowAccess, path: string, body?: object): Promise<T> {
  const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  return (await (await fetch(`${url}/api/2.0/mlflow/${path}`, init)).json()) as T
}

interface Model {
  registered_model: { aliases?: { alias: string; version: string }[]; tags?: { key: string; value: string }[] }
}

/** Of a registered model: version by alias, value by tag. */
export async function stateOf(mlflow: MlflowAccess, name: string) {
  const { registered_model: model } = await askMlflow<Model>(mlflow, `registered-models/get?name=${name}`)
  return {
    aliases: Object.fromEntries((model.aliases ?? []).map(({ alias, version }) => [alias, version])),
    tags: Object.fromEntries((model.tags ?? []).map(({ key, value }) => [key, value]))
  }
}
