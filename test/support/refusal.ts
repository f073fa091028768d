import type { Test } from 'tap'
import type { Ledger } from './ledger.js'

/** A value that no answer may repeat. */
export const CANARY = 'canary-5d1e7a'

/** What an answer must not hold: a value of the caller's, a file, a stack, a name of the machinery. */
const LEAKS = new RegExp(`${CANARY}|node_modules|\\.[jt]s:|\\\\n +at |/src/|/dist/|FST_|Ajv|prototype`, 'i')
/** Bytes; a refusal's size does not depend on what was sent. */
const MOST = 1000

/** The code and, where there is one, the pointer to the element at fault. */
export type Refusal = readonly [code: string, path?: string]

/** Sends a body that must be refused with 400, and looks for everything that an error answer promises. */
export function refused(t: Test, ledger: Ledger) {
  return async (what: string, body: unknown, [code, path]: Refusal): Promise<void> => {
    const { status, json, text } = await ledger.send(body)
    t.equal(status, 400, `${what}: 400`)
    t.equal(json?.error?.code, code, `${what}: ${code}`)
    t.equal(json?.error?.path, path, `${what}: ${path ?? 'no pointer'}`)
    t.equal(json?.error?.retryable, false, `${what}: sending it again is no use`)
    t.notMatch(text, LEAKS, `${what}: nothing leaks`)
    t.ok(text.length < MOST, `${what}: a short answer`)
  }
}
