import type { Test } from 'tap'
import { bodyOf, gru } from './bundles.js'
import { callers } from './callers.js'
import { goldenAnswer } from './golden.js'
import { Ledger } from './ledger.js'
import { Operator } from './operator.js'
import { type Service } from './service.js'
import { unhandled } from './under-fault.js'

export interface Row {
  /** of the fault plan */
  row: number
  service: Service
  token: string
  /** the versions that may answer, each of which does */
  versions: string[]
}

const CALLERS = 8

/** Breaks something under load: whatever happens, each caller gets the right answer, from a version that was live. */
export async function underLoad(t: Test, row: Row, work: (operator: Operator) => Promise<void>): Promise<void> {
  const { service, token, versions } = row
  const ledger = new Ledger(service.url)
  const book = new Ledger(service.url)
  const one = () => ledger.send(bodyOf(gru(), 0), { right: goldenAnswer(gru(), 0) })
  const load = callers(ledger, gru(), CALLERS)
  // However fast the work is: what served before it has answered, and what it has changed answers too.
  await one()
  await work(new Operator(book, token))
  await load.stop()
  await one()
  const { entries, lost, wrong, statuses } = ledger
  t.comment(`row ${row.row}: sent ${entries.length}, lost ${lost.length}, wrong ${wrong.length}`)
  t.same([lost, wrong], [[], []], 'no request is lost, no answer is wrong')
  t.same(Object.keys(statuses), ['200'], 'no caller sees a failure')
  const seen = new Set(entries.map(({ json }) => String(json?.model_version)))
  t.same([...seen].sort(), [...versions].sort(), 'each version that was live answered, and no other')
  t.same([service.process.exitCode, unhandled(service)], [null, []], 'the process goes on')
  ledger.close()
  book.close()
}
