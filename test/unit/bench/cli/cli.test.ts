import t from 'tap'
import { parseCommand } from '../../../../src/bench/cli/cli.js'
import { longest, planCells, warmUpOf } from '../../../../src/bench/sweep/plan.js'
import type { SweepOptions } from '../../../../src/bench/options.js'

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
  const cells = planCells(sweep('--replicas 1,8 --users 50 --load-workers 2 --duration 3 --repeats 2 --think 250'))
  t.same(cells.map(({ key }) => key).toSorted(), [
    'custom/1/50/2/1',
    'custom/1/50/2/2',
    'custom/8/50/2/1',
    'custom/8/50/2/2'
  ])
  t.ok(cells.every(cell => cell.durationMs === 3000 && cell.thinkMs === 250))
  t.equal(planCells(sweep('--preset standalone')).length, 3)
  // 60 s each, and ten intervals of 3 s
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

t.test('the intervals of a warm-up are whole pauses of the users', t => {
  const intervalMs = (line: string) => warmUpOf(planCells(sweep(line))[0]!, sweep(line)).intervalMs
  t.equal(intervalMs(''), 3000)
  t.equal(intervalMs('--think 2480'), 4960)
  t.equal(intervalMs('--think 100'), 3000)
  t.equal(intervalMs('--quick --think 60000'), 60_000)
  const paused = sweep('--preset standalone --think 2480')
  t.equal(longest(planCells(paused), paused), 3 * (60_000 + 10 * 4960))
  t.end()
})

t.test('--workers means the same as --load-workers, and help says so', t => {
  for (const line of ['--workers 2', '--workers 2 --load-workers 2']) {
    t.same(sweep(`--users 50 ${line}`), sweep('--users 50 --load-workers 2'), line)
    t.same(parse(`slo --p99 50 ${line}`), parse('slo --p99 50 --load-workers 2'), `slo ${line}`)
  }
  t.same(sweep('--workers 4,8').preset, 'matrix', 'a selection, as --load-workers is')
  for (const name of ['sweep', 'slo']) {
    t.match(parse(`${name} --help`), { text: /--workers <n(,n)?> +the same as --load-workers/ })
  }
  t.end()
})

t.test('calls with several windows go to /predict/batch where no protocol is named, and are a matrix', t => {
  t.match(sweep(''), { protocol: 'predict', windows: 1, preset: 'report' })
  t.match(sweep('--windows 64'), { protocol: 'batch', windows: 64, preset: 'matrix' })
  t.match(sweep('--protocol batch'), { protocol: 'batch', windows: 1, preset: 'matrix' })
  t.match(sweep('--protocol v2-binary --windows 16 --steps 3'), { protocol: 'v2-binary', windows: 16, steps: 3 })
  t.end()
})

const wrong = (flag: string, text: string, why: string) => `option '${flag}' argument '${text}' is invalid. ${why}`
const wholeOf = (range: string) => `Give a whole number from ${range}.`

const REFUSED = {
  '--user 5': "unknown option '--user' (Did you mean --users?)",
  '--Quick': "unknown option '--Quick' (Did you mean --quick?)",
  '-x': "unknown option '-x'",
  '--users': "option '--users <n,n>' argument missing",
  '--users 0': wrong('--users <n,n>', '0', wholeOf('1 to 10000')),
  '--users 2e2': wrong('--users <n,n>', '2e2', wholeOf('1 to 10000')),
  '--users 200,200': wrong('--users <n,n>', '200,200', 'Give each number once.'),
  '--users --quick': wrong('--users <n,n>', '--quick', wholeOf('1 to 10000')),
  '--out --quick': wrong('--out <dir>', '--quick', 'Give a value that does not begin with "-".'),
  '--replicas 9': wrong('--replicas <n,n>', '9', wholeOf('1 to 8')),
  '--replicas 1,': wrong('--replicas <n,n>', '1,', wholeOf('1 to 8')),
  '--workers -1': wrong('--workers <n,n>', '-1', wholeOf('1 to 64')),
  '--load-workers -1': wrong('--load-workers <n,n>', '-1', wholeOf('1 to 64')),
  '--workers 2 --load-workers 4': '--workers 2 differs from --load-workers 4, which means the same',
  '--users 3 --workers 4': '--users 3 is less than --load-workers 4: a load worker would have no user',
  '--preset standalone --workers 4': '--load-workers cannot go with --preset standalone',
  '--resume DIR --workers 4': '--workers cannot go with --resume, which goes on as it was begun',
  'slo --p99 50 --workers 2 --load-workers 4': '--workers 2 differs from --load-workers 4, which means the same',
  '--duration 0.5': wrong('--duration <s>', '0.5', wholeOf('1 to 86400')),
  '--repeats x': wrong('--repeats <n>', 'x', wholeOf('1 to 100')),
  '--seed -': wrong('--seed <n>', '-', wholeOf('0 to 2147483647')),
  '--think 600001': wrong('--think <ms>', '600001', wholeOf('0 to 600000')),
  '--steps 0': wrong('--steps <n>', '0', wholeOf('1 to 1000')),
  '--port 70000': wrong('--port <n>', '70000', wholeOf('1 to 65535')),
  '--preset all': wrong('--preset <name>', 'all', 'Allowed choices are report, matrix, standalone.'),
  '--target localhost:8080': wrong('--target <url>', 'localhost:8080', 'Give an http address without a password.'),
  '--target http://me:secret@host': wrong(
    '--target <url>',
    'http://me:secret@host',
    'Give an http address without a password.'
  ),
  '--windows 0': wrong('--windows <n>', '0', wholeOf('1 to 4096')),
  '--protocol http': wrong('--protocol <name>', 'http', 'Allowed choices are predict, batch, v2-json, v2-binary.'),
  '--protocol predict --windows 2': '--windows 2 cannot go with --protocol predict, which takes one window a call',
  '--windows 2 --generator locust': '--generator locust cannot go with --protocol batch, which Locust does not send',
  '--protocol v2-json --preset standalone':
    "--preset standalone cannot go with --protocol v2-json, for the report's tables have one window a request",
  '--replica-metrics http://127.0.0.1:1': '--replica-metrics needs --target',
  '--ui-port 80': '--ui-port needs --ui',
  '--users 3': '--users 3 is less than --load-workers 8: a load worker would have no user',
  '--preset standalone --users 50': '--users cannot go with --preset standalone',
  '--target http://127.0.0.1:9 --preset report':
    '--preset report cannot go with --target, whose replicas are not ours to change',
  '--target http://127.0.0.1:9 --balance first': '--balance cannot go with --target',
  '--target http://127.0.0.1:9 --replicas 1,2': '--replicas must be one number with --target',
  '--resume DIR --quick': '--quick cannot go with --resume, which goes on as it was begun',
  '--resume DIR --replica-metrics http://127.0.0.1:1':
    '--replica-metrics cannot go with --resume, which goes on as it was begun',
  'sweep now': "too many arguments for 'sweep'. Expected 0 arguments but got 1.",
  report: "missing required argument 'dir'",
  'compare A': "missing required argument 'after'",
  'compare A B C': "too many arguments for 'compare'. Expected 2 arguments but got 3.",
  slo: '--p99 is missing: the bound in ms',
  'slo --p98 50': "unknown option '--p98' (Did you mean --p99?)",
  'slo --p99 fast': wrong('--p99 <ms>', 'fast', wholeOf('1 to 60000')),
  swep: "unknown command 'swep' (Did you mean sweep?): see npm run bench -- help",
  'help swep': "unknown command 'swep': see npm run bench -- help"
}

t.test('a flag or a word that is wrong names itself, in one line', t => {
  for (const [line, message] of Object.entries(REFUSED)) {
    t.throws(() => parse(line), { code: 'bad_flag', message, exitCode: 2 }, line)
  }
  t.end()
})

t.test('every command shows its own flags by --help, by -h and by help before its name', t => {
  const help = (line: string) => {
    const command = parse(line)
    if (command.name !== 'help') throw new Error(`${line} is no help but ${command.name}`)
    return command.text
  }
  const OWN = { slo: '--p99 <ms>', sweep: '--resume <dir>', 'cross-check': '--port <n>' }
  for (const [name, flag] of Object.entries({ ...OWN, report: '<dir>', compare: '<before> <after>' })) {
    const text = help(`${name} --help`)
    t.match(text.split('\n')[0], `npm run bench -- ${name}`)
    t.ok(text.includes(flag), `${name} shows ${flag}`)
    for (const line of [`${name} -h`, `help ${name}`]) t.equal(help(line), text, line)
    t.ok(help('help').includes(name), `${name} is in the list`)
  }
  t.equal(help('--help'), help('help'))
  t.equal(help('-h'), help('help'))
  // Flags without a command are those of a sweep, so that the list shows these as well.
  t.ok(help('help').includes('--quick'))
  t.ok(help('--quick --help').includes('--quick'))
  t.end()
})

t.test('the flags of a search have the defaults that their help shows', t => {
  t.same(parse('slo --p99 50'), {
    name: 'slo',
    options: { p99Ms: 50, replicas: [1, 2, 4, 8], loadWorkers: 4, durationMs: 10_000, seed: 1, steps: 1, port: 8023 }
  })
  t.same(parse('cross-check DIR'), { name: 'cross-check', folder: 'DIR', port: 8023 })
  t.same(parse('--resume DIR --ui'), { name: 'resume', folder: 'DIR', uiPort: 8089 })
  t.end()
})
