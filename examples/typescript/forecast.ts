/** Forecasts the rows after a window. Usage: npx tsx examples/typescript/forecast.ts [base URL] [steps] */
import { readFile } from 'node:fs/promises'
import type { paths } from './api.js'

type Predict = paths['/predict']['post']
type Body = Predict['requestBody']['content']['application/json']
type Answer = Predict['responses'][200]['content']['application/json']
type Failure = Predict['responses'][400]['content']['application/json']

/** The next rows; throws the service's own words where it refuses. */
async function forecast(url: string, body: Body): Promise<Answer['predictions']> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/predict`, { method: 'POST', headers, body: JSON.stringify(body) })
  if (response.ok) return ((await response.json()) as Answer).predictions
  const { error } = (await response.json()) as Failure
  throw new Error(`${response.status} ${error.code}: ${error.message} at ${error.path ?? 'no element'}`)
}

const [url = process.env.SERVICE_URL ?? 'http://127.0.0.1:8080', steps = '5'] = process.argv.slice(2)
const window = JSON.parse(await readFile(new URL('../window.json', import.meta.url), 'utf8')) as Body
for (const { ts, value: _target, ...features } of await forecast(url, { ...window, inference_length: Number(steps) })) {
  const values = Object.entries(features).map(([feature, value]) => `${feature}=${value}`)
  console.log(ts, ...values)
}
