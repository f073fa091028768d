import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)

t.test('the servers can be started and stopped from a shell', async t => {
  const folder = mkdtempSync(`${tmpdir()}/gru-shell-`)
  t.teardown(async () => {
    await run('test/servers/stop.sh', [folder])
    rmSync(folder, { recursive: true })
  })
  const script = `test/servers/start.sh "$1" >"$1/stores.env" && set -a && . "$1/stores.env"
    printf '%s %s' "$MLFLOW_S3_ENDPOINT_URL" "$MLFLOW_TRACKING_URI"`
  const { stdout } = await run('bash', ['-ec', script, 'bash', folder])
  const [s3, mlflow] = stdout.split(' ') as [string, string]
  t.equal((await fetch(s3)).status, 403)
  t.equal((await fetch(`${mlflow}/version`)).status, 200)

  await t.rejects(run('test/servers/start.sh', [folder]), {
    code: 1,
    stdout: '',
    stderr: 'start: they are running already; test/servers/stop.sh ends them\n'
  })
  await run('test/servers/stop.sh', [folder])
  for (const url of [s3, mlflow]) await t.rejects(fetch(url), { cause: { code: 'ECONNREFUSED' } })
  await run('test/servers/stop.sh', [folder])
})
