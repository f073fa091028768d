import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { startGrpc } from '../../support/grpc.js'

const run = promisify(execFile)
const README = readFileSync('README.md', 'utf8')

/** The first forecast of the example's target, as `/predict` gives it. */
async function expected(url: string): Promise<number> {
  const headers = { 'content-type': 'application/json' }
  const body = readFileSync('examples/window.json')
  const answer = await (await fetch(`${url}/predict`, { method: 'POST', headers, body })).json()
  return (answer as { predictions: [{ value: number }] }).predictions[0].value
}

t.test('each Python client of README gets the forecast of the example, as the block stands', async t => {
  const service = await startGrpc(t, { env: { DEADLINE_MS: '20000' } })
  const [, grpcPort] = service.grpc.split(':')
  const [prelude, ...blocks] = [...README.matchAll(/^```python\n([^]*?)^```$/gm)].map(([, block]) => block!)
  t.equal(blocks.length, 5)
  const value = await expected(service.url)
  for (const block of blocks) {
    const program = `${prelude}\n${block}`.replaceAll('8080', `${service.port}`).replaceAll('8001', grpcPort!)
    const python = block.includes('mlflow') ? 'clients-mlflow' : 'clients-v2'
    const { stdout } = await run(`.services/${python}/bin/python`, ['-c', program])
    const numbers = [...stdout.matchAll(/-?\d+(\.\d*)?(e[+-]\d+)?/gi)].map(([text]) => Number(text))
    // Printed frames and arrays have six digits at the least.
    t.ok(
      numbers.some(number => Math.abs(number / value - 1) < 1e-5),
      `${block}\n${stdout}`
    )
  }
})
