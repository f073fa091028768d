import t from 'tap'
import { parseCommand } from '../../../../src/bench/cli/cli.js'
import { longest, planCells, warmUpOf } from '../../../../src/bench/sweep/plan.js'
import type { SweepOptions } from '../../../../src/bench/cli/options.js'

const now = new Date('2026-01-02T03:04:05Z')
const parse = (line: string) => parseCommand(line.split(' ').filter(Boolean), now)

function sweep(line: string): SweepOptions {
  const command = parse(line)
  if (command.name !== 'sweep') throw new Error(`${line} is no sweep but ${command.name}`)
  return command.options
}

t.test('without flags it is the report: 24 cells of 120 s in two phases, and the standalone table', t => {
  const options = sweep('')
  t.match(options, { thinkMs: 0, steps: 1, repeats: 1, quick: false, port: 8023 })
  const cells = planCells(options)
  const of = (phase: string) => cells.filter(cell => cell.phase === phase)
  for (const [phase, workers] of [
    ['1', 4],
    ['2', 8]
  ] as const) {
    t.equal(of(phase).length, 12)
    t.ok(of(phase).every(cell => cell.workers === workers && cell.durationMs === 120_000))
    t.same(
      new Set(of(phase).map(({ replicas, users }) => `${replicas}x${users}`)),
      new Set([1, 2, 4, 8].flatMap(replicas => [200, 400, 800].map(users => `${replicas}x${users}`)))
    )
  }
  t.same(
    of('standalone')
      .map(({ replicas }) => replicas)
      .toSorted((a, b) => a - b),
    [1, 2, 4]
  )
  t.ok(of('standalone').every(cell => cell.users === 40 && cell.durationMs === 60_000))
  t.equal(new Set(cells.map(({ key }) => key)).size, 27)
  t.end()
})

t.test('the seed decides the order, and nothing but the order', t => {
  const keys = (line: string) => planCells(sweep(line)).map(({ key }) => key)
  t.same(keys('--seed 7'), keys('--seed 7'))
  t.not(keys('--seed 7').join(), keys('--seed 8').join())
  t.same(keys('--seed 7').toSorted(), keys('--seed 8').toSorted())
  t.end()
})

t.test('flags select, and a selection leaves the standalone table out', t => {
  const cells = planCells(sweep('--replicas 1,8 --users 50 --workers 2 --duration 3 --repeats 2 --think 250'))
  t.same(cells.map(({ key }) => key).toSorted(), [
    'custom/1/50/2/1',
    'custom/1/50/2/2',
    'custom/8/50/2/1',
    'custom/8/50/2/2'
  ])
  t.ok(cells.every(cell => cell.durationMs === 3000 && cell.thinkMs === 250))
  t.equal(planCells(sweep('--preset standalone')).length, 3)
  // 60 s each, and ten windows of 3 s
  t.equal(longest(planCells(sweep('--preset standalone')), sweep('--preset standalone')), 3 * 90_000)
  t.same(
    sweep('--target http://127.0.0.1:9/ --replica-metrics http://127.0.0.1:7/metrics,http://127.0.0.1:8/metrics'),
    {
      ...sweep('--target http://127.0.0.1:9'),
      replicas: [2],
      replicaMetrics: ['http://127.0.0.1:7/metrics', 'http://127.0.0.1:8/metrics']
    }
  )
  t.end()
})

t.test('the windows of a warm-up are whole pauses of the users', t => {
  const windows = (line: string) => warmUpOf(planCells(sweep(line))[0]!, sweep(line)).windowMs
  t.equal(windows(''), 3000)
  t.equal(windows('--think 2480'), 4960)
  t.equal(windows('--think 100'), 3000)
  t.equal(windows('--quick --think 60000'), 60_000)
  const paused = sweep('--preset standalone --think 2480')
  t.equal(longest(planCells(paused), paused), 3 * (60_000 + 10 * 4960))
  t.end()
})

const REFUSED = {
  '--user 5': "Unknown option '--user'",
  '--users': "Option '--users <value>' argument missing",
  '--users 0': '--users must be a whole number of 1 to 10000, not "0"',
  '--users 2e2': '--users must be a whole number of 1 to 10000, not "2e2"',
  '--users 200,200': '--users has a number twice: 200,200',
  '--replicas 9': '--replicas must be a whole number of 1 to 8, not "9"',
  '--replicas 1,': '--replicas must be a whole number of 1 to 8, not ""',
  '--workers -1': "Option '--workers' argument is ambiguous",
  '--duration 0.5': '--duration must be a whole number of 1 to 86400, not "0.5"',
  '--repeats x': '--repeats must be a whole number of 1 to 100, not "x"',
  '--seed -': '--seed must be a whole number of 0 to 2147483647, not "-"',
  '--think 600001': '--think must be a whole number of 0 to 600000, not "600001"',
  '--steps 0': '--steps must be a whole number of 1 to 1000, not "0"',
  '--port 70000': '--port must be a whole number of 1 to 65535, not "70000"',
  '--preset all': '--preset must be report or matrix or standalone, not "all"',
  '--target localhost:8080': '--target must be an http address, not "localhost:8080"',
  '--target http://me:secret@host': '--target must be an http address, not "http://me:secret@host"',
  '--replica-metrics http://127.0.0.1:1': '--replica-metrics needs --target',
  '--ui-port 80': '--ui-port needs --ui',
  'ceiling --rounds 0': '--rounds must be a whole number of 1 to 100, not "0"',
  '--users 3': '--users 3 is less than --workers 8: a load worker would have no user',
  '--preset standalone --users 50': '--users cannot go with --preset standalone',
  '--target http://127.0.0.1:9 --preset report':
    '--preset report cannot go with --target, whose replicas are not ours to change',
  '--target http://127.0.0.1:9 --balance first': '--balance cannot go with --target',
  '--target http://127.0.0.1:9 --replicas 1,2': '--replicas must be one number with --target',
  '--resume DIR --quick': '--quick cannot go with --resume, which goes on as it was begun',
  'sweep now': '"now" is one word too many',
  report: 'the folder of results to report is missing',
  'compare A': 'the second folder is missing',
  'compare A B C': '"C" is one word too many',
  slo: '--p99 is missing: the bound in ms',
  'slo --p99 fast': '--p99 must be a whole number of 1 to 60000, not "fast"',
  swep: 'there is no command "swep": see npm run bench -- help'
}

t.test('a flag or a word that is wrong names itself, in one line', t => {
  for (const [line, message] of Object.entries(REFUSED)) {
    t.throws(() => parse(line), { code: 'bad_flag', message, exitCode: 2 }, line)
  }
  t.end()
})
