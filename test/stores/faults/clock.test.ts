import t from 'tap'
import { operatorOf, startBucket } from '../../support/bucket.js'
import { scrape } from '../../support/scrape.js'
import { startService } from '../../support/service.js'
import { GENTLE, promotedAs, underLoad } from '../../support/under-load.js'
import { changedBundle } from '../../support/wrong-bundles.js'

const HOUR = 3_600_000
const JUMPS = [2 * HOUR, -2 * HOUR, 0]

t.test('a clock that jumps disturbs no answer; a store that minds is told apart from one that is down', async t => {
  const bucket = await startBucket(t)
  await bucket.put(changedBundle({ version: '1' }))
  const service = await startService({
    nodeArgs: ['--import', new URL('../../support/clock-jumps.mjs', import.meta.url).href],
    env: { ...bucket.env(), JUMPS: JUMPS.join(','), POLL_INTERVAL_MS: '0', CACHE_DIR: `${t.testdir()}/cache` }
  })
  t.teardown(() => service.process.kill('SIGKILL'))
  const operator = operatorOf(service)
  await operator.serves('1')
  await underLoad(t, service, { ...GENTLE, versions: promotedAs('1', '2', '3', '4') }, async () => {
    for (const [index, jump] of JUMPS.entries()) {
      const version = String(index + 2)
      await bucket.put(changedBundle({ version }))
      service.process.kill('SIGUSR2')
      await service.line(`the clock is ${jump} ms off`)
      const ended = await operator.order('reload')
      t.match(ended, { status: 503, json: { error: { message: /^clock_skew: / } } }, `the clock is ${jump} ms off`)
      t.match(await operator.state(), { ready: true, last_promotion: { reason: 'clock_skew' } })
      // The refusal held the store's time, by which the client goes from then on.
      t.match(await operator.order('reload'), { status: 200, json: { model: { version } } })
    }
  })
  const sums = [...(await scrape(service.url))].filter(([series]) =>
    /_seconds(_sum|_bucket|_count)?(\{|$)/.test(series)
  )
  t.ok(sums.length > 10)
  t.same(
    sums.filter(([, value]) => value < 0),
    [],
    'no duration is negative'
  )
  t.equal(await service.stop(), 0)
})
