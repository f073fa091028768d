import { buffer } from 'node:stream/consumers'
import { ModelRefused } from '../../errors.js'
import { type Bundle, openBundle } from '../bundle.js'
import { usesMinute } from '../manifest.js'
import { openSession } from '../onnx-session.js'
import { checkSignature } from '../signature.js'
import { compareGolden } from './verify.js'

// The entry of the process that a new bundle is tried in (sandbox.ts). On its standard input come one line of JSON with
// the texts of model.json and golden.json, and then the bytes of model.onnx; on its output goes one line of JSON, the verdict.

/** What went well is null; what did not, is a reason for the refusal. */
export type Verdict = { refused: { reason: ModelRefused['reason']; message: string } | null }

/** What onnxruntime and the C++ library say when they do not get the memory that they ask for. */
const NO_MEMORY = /bad_alloc|allocate memory|out of memory|failed to allocate|Array buffer allocation/i

async function readBundle(): Promise<Bundle> {
  const input = await buffer(process.stdin)
  const end = input.indexOf('\n')
  const { manifest, golden } = JSON.parse(input.toString('utf8', 0, end)) as { manifest: string; golden: string }
  return openBundle({ manifest, golden, model: input.subarray(end + 1) })
}

/** Loads the model and compares each golden window's answer, one at a time. */
async function tryBundle(bundle: Bundle): Promise<void> {
  const { manifest, golden } = bundle
  const session = await openSession(new Uint8Array(bundle.model).slice())
  checkSignature(manifest, session)
  for (const [index, { window, minute }] of golden.windows.entries()) {
    const times = usesMinute(manifest) ? { minute: Int32Array.from(minute!) } : {}
    const forecast = await session.run({ window: Float32Array.from(window.flat()), ...times }, 1, manifest.window)
    compareGolden(bundle, index, forecast)
  }
}

function refusalOf(error: unknown): Verdict['refused'] {
  if (error instanceof ModelRefused) return { reason: error.reason, message: error.message }
  const message = error instanceof Error ? error.message : String(error)
  if (NO_MEMORY.test(message)) return { reason: 'sandbox_oom', message: 'the model needs more memory than it may have' }
  return { reason: 'load_failed', message: `the model cannot be run: ${message}` }
}

const verdict: Verdict = { refused: null }
try {
  await tryBundle(await readBundle())
} catch (error) {
  verdict.refused = refusalOf(error)
}
process.stdout.write(`${JSON.stringify(verdict)}\n`)
