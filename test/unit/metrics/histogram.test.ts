import { Histogram, Registry } from 'prom-client'
import t from 'tap'
import { HotHistogram } from '../../../src/metrics/histogram.js'

t.test("a hot histogram is scraped as prom-client's own would be", async t => {
  const options = {
    name: 'a',
    help: 'some help',
    labelNames: ['route', 'status'] as const,
    buckets: [0.001, 0.01, 0.1]
  }
  const ours = new Registry()
  const theirs = new Registry()
  const hot = new HotHistogram({ ...options, registry: ours })
  const peer = new Histogram({ ...options, registers: [theirs] })
  const labels = [
    { route: '/a', status: '200' },
    { route: '/b', status: '499' }
  ]
  const children = labels.map(label => hot.child(label))
  for (const value of [0, 0.0005, 0.001, 0.0011, 0.01, 0.05, 0.1, 0.2, 7]) {
    labels.forEach((label, index) => {
      children[index]!.observe(value * (index + 1))
      peer.observe(label, value * (index + 1))
    })
  }
  t.equal(await ours.metrics(), await theirs.metrics())
})

t.test('a histogram without labels too, before its first observation', async t => {
  const ours = new Registry()
  new HotHistogram({ name: 'b', help: 'help', labelNames: [], buckets: [1, 2], registry: ours }).child({})
  const theirs = new Registry()
  t.ok(new Histogram({ name: 'b', help: 'help', buckets: [1, 2], registers: [theirs] }))
  t.equal(await ours.metrics(), await theirs.metrics())
})
