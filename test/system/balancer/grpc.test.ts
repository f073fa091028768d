import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { balanced, scrapeAll } from '../../support/balanced.js'
import { gru } from '../../support/bundles.js'
import { isGolden } from '../../support/golden.js'
import { GrpcCaller } from '../../support/grpc.js'
import { HAPROXIES } from '../../support/haproxies.js'
import { floatsOf, namedRow, rawRequest, rowsOf } from '../../support/infer.js'
import { grown } from '../../support/scrape.js'
import { installedFolder } from '../../support/servers/installed.js'
import { freePorts } from '../../support/servers/ports.js'

const run = promisify(execFile)
const bundle = gru()
const windows = bundle.golden.windows.map(({ window }) => window)
const CALLS = 'gru_request_duration_seconds_count{route="grpc ModelInfer",status="200"}'

for (const [name, program] of Object.entries(HAPROXIES)) {
  t.test(
    `through ${name} gRPC calls of one connection reach all replicas, and none is lost when one stops`,
    async t => {
      const [front, ...ports] = (await freePorts(3)) as [number, number, number]
      const haproxyEnv = {
        LB_GRPC_BIND: `127.0.0.1:${front}`,
        LB_GRPC_REPLICA_1: `127.0.0.1:${ports[0]}`,
        LB_GRPC_REPLICA_2: `127.0.0.1:${ports[1]}`
      }
      const envOf = (index: number) => ({ GRPC_PORT: `${ports[index]}`, DRAIN_DELAY_MS: '4000', GRACE_MS: '30000' })
      const stack = await balanced(t, { program, haproxyEnv, envOf })
      const caller = new GrpcCaller(t, `127.0.0.1:${front}`)
      const statuses: string[] = []
      const state = { going: true }
      const call = async () => {
        const { status, answer } = await caller.call<{ raw_output_contents: [Buffer] }>(
          'ModelInfer',
          rawRequest(bundle, windows)
        )
        statuses.push(status)
        const rows = status === 'OK' ? rowsOf(floatsOf(answer.raw_output_contents[0]), 11) : []
        const isRight = (row: number[], index: number) =>
          isGolden(bundle, bundle.golden.windows[index]!.forecast, namedRow(bundle, row))
        if (rows.length !== windows.length || !rows.every(isRight)) t.fail(`${status}: not the trainer's forecasts`)
      }
      const calling = Promise.all(
        Array.from({ length: 4 }, async () => {
          while (state.going) await call()
        })
      )
      const before = await scrapeAll(stack)
      for (let count = 0; count < 20; count++) await call()
      for (const [index, after] of (await scrapeAll(stack)).entries()) {
        t.ok(grown(CALLS, before[index]!, after) > 0, `r${index + 1} has answered`)
      }
      const { child } = stack.replicas[0]!
      await child.stop(60_000)
      for (let count = 0; count < 20; count++) await call()
      state.going = false
      await calling
      t.same(
        statuses.filter(status => status !== 'OK'),
        [],
        `of ${statuses.length} calls`
      )
      const { stdout } = await run(`${installedFolder('grpcurl')}/bin/grpcurl`, [
        '-plaintext',
        `127.0.0.1:${front}`,
        'list'
      ])
      t.match(stdout, /^inference\.GRPCInferenceService$/m)
    }
  )
}
