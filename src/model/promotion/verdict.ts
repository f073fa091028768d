import type { RefusalReason } from '../../errors.js'

/** What `node dist/check.js --json` prints: see docs/reference/model-bundle.md. */
export interface Verdict {
  /** a replica with these settings would take the bundle live */
  ok: boolean
  /** the service's own, or why there was nothing to check; null when `ok` */
  reason: RefusalReason | 'usage' | 'bad_setting' | 'unreadable' | null
  /** one sentence for people; null when `ok` */
  message: string | null
  /** the same bundle may be found good by another run */
  retryable: boolean
  /** of the bundle, where its manifest could be read */
  name: string | null
  version: string | null
  /** of `model.onnx`, where it could be read */
  sha256: string | null
  /** what lies in the folder beside the bundle, which no replica fetches */
  ignored: string[]
}

type Known = Partial<Verdict>

const NOTHING_KNOWN = { name: null, version: null, sha256: null, ignored: [] }

/** A verdict on a bundle that may be promoted. */
export function good(known: Known): Verdict {
  return { ok: true, reason: null, message: null, retryable: false, ...NOTHING_KNOWN, ...known }
}

/** A verdict that is not good, and what is known of the bundle, if anything. */
export function refusedAs(reason: NonNullable<Verdict['reason']>, message: string, known: Known = {}): Verdict {
  return { ok: false, reason, message, retryable: false, ...NOTHING_KNOWN, ...known }
}

/** The code that the check ends with: 0 good, 1 refused, 2 there was nothing to check, 3 not now. */
export function exitCodeOf({ ok, reason, retryable }: Verdict): 0 | 1 | 2 | 3 {
  if (ok) return 0
  if (retryable) return 3
  return reason === 'usage' || reason === 'bad_setting' || reason === 'unreadable' ? 2 : 1
}
