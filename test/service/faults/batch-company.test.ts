import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { goldenAnswer } from '../../support/golden.js'
import type { Answer, Ledger } from '../../support/ledger.js'
import { grown, scrape } from '../../support/scrape.js'
import { withService } from '../../support/shared-service.js'

const bundle = gru()
const { features } = bundle.manifest
const all = bundle.golden.windows.map((_, index) => index)

/** Relative difference that a batch may make. */
const COMPANY = 1e-6

type Row = NonNullable<Answer['predictions']>[number]

async function forecast(ledger: Ledger, index: number): Promise<Row> {
  const { json } = await ledger.send(bodyOf(bundle, index), { right: goldenAnswer(bundle, index) })
  return json!.predictions![0]!
}

/** The largest relative difference between two forecasts of the same window. */
function difference(one: Row, other: Row): number {
  return Math.max(
    ...features.map(
      ({ name }) => Math.abs(Number(one[name]) - Number(other[name])) / Math.max(Math.abs(Number(one[name])), 1e-12)
    )
  )
}

/** A shuffle that is the same in every run. */
function shuffled(seed: number): number[] {
  const order = [...all]
  for (let at = order.length - 1; at > 0; at--) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    const other = seed % (at + 1)
    ;[order[at], order[other]] = [order[other]!, order[at]!]
  }
  return order
}

t.test("alone or in any company, a window's forecast is the trainer's, and the company makes no difference", t =>
  withService(t, {}, async ({ service, ledger, before }) => {
    const alone: Row[] = []
    for (const index of all) alone.push(await forecast(ledger, index))
    for (let round = 1; round <= 5; round++) {
      const order = shuffled(round)
      const together = await Promise.all(order.map(index => forecast(ledger, index)))
      const worst = Math.max(...order.map((index, at) => difference(alone[index]!, together[at]!)))
      t.ok(worst <= COMPANY, `round ${round}: ${worst.toExponential(1)}`)
    }
    const after = await scrape(service.url)
    const batches = grown('gru_batch_rows_count', before, after)
    t.ok(batches < grown('gru_rows_executed_total', before, after), `they shared ${batches} batches`)
  })
)

t.test('one bad row among good ones reaches no batch: its neighbours are as when alone', t =>
  withService(t, {}, async ({ ledger }) => {
    const alone = await forecast(ledger, 3)
    const poison = JSON.stringify(bodyOf(bundle, 4)).replace(/"up":\[[^,]+/, '"up":[1e39')
    const bad = [poison, poison.replace('1e39', 'null'), poison.replace('1e39', '-1')]
    for (let round = 0; round < 10; round++) {
      const rows = Array.from({ length: 16 }, () => forecast(ledger, 3))
      const refused = bad.map(body => ledger.send(body))
      const more = Array.from({ length: 16 }, () => forecast(ledger, 3))
      for (const { status } of await Promise.all(refused)) t.equal(status, 400)
      const worst = Math.max(...(await Promise.all([...rows, ...more])).map(row => difference(alone, row)))
      t.ok(worst <= COMPANY, `round ${round}: ${worst.toExponential(1)}`)
    }
  })
)
