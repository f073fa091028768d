import t from 'tap'
import { checkCell, type Evidence } from '../../../../src/bench/analysis/checks.js'
import { findLimiter, type Load } from '../../../../src/bench/analysis/limiter.js'
import { isSteady } from '../../../../src/bench/cell/warm-up.js'
import { benchCell } from '../../../support/bench-cells.js'

/** 1000 answers in 10 s at 1 s each: by Little's law 100 users. */
function evidence(change: Partial<Evidence> = {}): Evidence {
  const cell = benchCell({ plan: { users: 100, workers: 4 } })
  return {
    ...{ plan: cell.plan, load: cell.load, warmUp: cell.warmUp, generator: cell.generator, latencyMs: 1000 },
    ...{ connections: 100, serversOk: cell.load.whole.ok, digests: ['abc', 'abc'] },
    ...change
  }
}

const failed = (change: Partial<Evidence>) =>
  checkCell(evidence(change))
    .filter(({ ok }) => !ok)
    .map(({ name, detail }) => `${name}: ${detail}`)

t.test('a good cell passes every check', t => {
  t.same(failed({}), [])
  t.same(
    checkCell(evidence()).map(({ name }) => name),
    ['servers-agree', 'little', 'connections', 'same-model', 'generator-keeps-up', 'no-mismatch', 'steady', 'samples']
  )
  t.end()
})

t.test('each check fails when what it guards is broken, and says what it saw', t => {
  const { load, warmUp, generator } = evidence()
  const whole = { ok: 1050, completed: 1050, errors: 2, lost: 1 }
  t.same(failed({ serversOk: 1049 }), [
    'servers-agree: the client counts 1050 2xx answers, the servers 1049; 0 requests have no known end'
  ])
  t.same(failed({ serversOk: 1051 }), [
    'servers-agree: the client counts 1050 2xx answers, the servers 1051; 0 requests have no known end'
  ])
  t.same(failed({ load: { ...load, whole }, serversOk: 1053 }), [], 'what was given up may have been answered')
  t.match(failed({ load: { ...load, whole }, serversOk: 1054 }), [/servers-agree/])
  t.same(failed({ latencyMs: 880 }), ['little: throughput x (latency + think time) = 88.0 of 100 users'])
  t.same(failed({ connections: 99 }), [
    'connections: the server side counts 99 connections for 100 users (25 + 25 + 25 + 25)'
  ])
  t.match(failed({ connections: null, load: { ...load, connections: [25, 25, 25, 24] } }), [/the generator holds 99/])
  t.same(failed({ digests: ['abc', 'def'] }), ['same-model: served: abc, def'])
  t.match(failed({ generator: { ...generator, eventLoopP99Ms: 251 } }), [/generator-keeps-up: .* 251.0 ms .* 250.0 ms/])
  t.match(failed({ load: { ...load, mismatched: 1 } }), [/no-mismatch: 1 of 20 checked/])
  t.match(failed({ load: { ...load, checked: 0 } }), [/no-mismatch: 0 of 0/], 'nothing checked is not right')
  t.match(failed({ warmUp: { ...warmUp, steady: false } }), [/steady: answers a second in the warm-up: 100, 100, 100/])
  t.match(failed({ load: { ...load, statuses: { 200: 661 } } }), [/samples: 661 good answers, P99 needs 662/])
  t.end()
})

t.test("Little's law is asked of the 2xx answers, and of no others", t => {
  const { load } = evidence()
  // 500 answers of 1 s in 10 s hold 50 users; 100,000 refusals of no time hold none.
  const refused = { ...load, completed: 100_500, statuses: { 200: 500, 429: 100_000 } }
  t.same(failed({ load: refused }), ['samples: 500 good answers, P99 needs 662'])
  const tooMany = { ...load, completed: 3000, statuses: { 200: 1200, 429: 1800 } }
  t.match(failed({ load: tooMany }), [/little: .* = 120.0 of 100 users; failed requests hold the other users/])
  t.end()
})

t.test('a warm-up is over when its last three intervals lie within a tenth of each other', t => {
  t.notOk(isSteady([100, 100]))
  t.ok(isSteady([10, 100, 105, 110]))
  t.notOk(isSteady([100, 105, 116]))
  t.notOk(isSteady([0, 0, 0]), 'nothing is not steady')
  t.end()
})

/** 10 s on two cores. */
const load: Load = {
  ...{ thinkMs: 0, users: 100, elapsedMs: 10_000, latencyMs: 100, hostBusy: 0.5, cores: 2 },
  ...{ generator: { processes: 4, cpuSeconds: 4 }, haproxy: { cpuSeconds: 3 }, replicas: [2, 2] }
}

t.test('the limiter is named with its evidence', t => {
  const limiter = (change: Partial<Load>) => findLimiter({ ...load, ...change })
  t.match(limiter({}), {
    what: 'none found',
    evidence: 'all cores are 50 % busy; replicas 0.40 cores, HAProxy 0.30 cores, generator 0.40 cores'
  })
  t.match(limiter({ hostBusy: 0.97, replicas: [5, 5] }), {
    what: 'host CPU',
    evidence:
      'all cores are 97 % busy; the largest part is replicas with 1.00 cores, of replicas 1.00 cores, HAProxy 0.30 cores, generator 0.40 cores, other processes 0.24 cores'
  })
  t.match(limiter({ hostBusy: 1, replicas: [1] }), { evidence: /the largest part is other processes with 1\.20 cores/ })
  t.match(limiter({ generator: { processes: 2, cpuSeconds: 19.2 } }), { what: 'generator', evidence: /0\.96 cores/ })
  t.match(limiter({ haproxy: { cpuSeconds: 9.6 } }), { what: 'haproxy', evidence: /0\.96 cores/ })
  t.match(limiter({ replicas: [9.7, 10.4] }), { what: 'replicas', evidence: /at least 0\.97 cores/ })
  t.match(limiter({ replicas: [9.7, 1] }), { what: 'none found' }, 'one busy replica of two is not all')
  t.match(limiter({ replicas: [2, null] }), { evidence: /replicas unknown, HAProxy/ }, 'what cannot be read is not 0')
  t.match(limiter({ hostBusy: null, replicas: [] }), {
    what: 'none found',
    evidence: /the CPU of the host cannot be read/
  })
  t.match(limiter({ thinkMs: 2000, hostBusy: 1 }), {
    what: 'think time',
    evidence: 'users think for 2000 ms and wait for 100 ms; without any latency, users would send 50 requests a second'
  })
  t.match(limiter({ thinkMs: 150 }), { what: 'think time' }, 'where nothing is full')
  t.match(limiter({ thinkMs: 150, hostBusy: 0.97 }), { what: 'host CPU' }, 'a full host is why they wait')
  t.match(limiter({ thinkMs: 150, replicas: [9.7, 10.4] }), { what: 'replicas' })
  t.match(limiter({ thinkMs: 50 }), { what: 'none found' })
  t.end()
})
