import { buffer } from 'node:stream/consumers'
import { ModelRefused } from '../../errors.js'
import { type Bundle, type BundleFiles, openBundle } from '../bundle/bundle.js'
import { usesMinute } from '../bundle/manifest.js'
import { openSession } from '../inference/worker/onnx-session.js'
import { checkSignature } from '../bundle/signature.js'
import { GoldenBatches, rowsOf } from './golden-batches.js'

// The entry of the process that a new bundle is tried in (sandbox.ts). On its standard input come one line of JSON with
// the texts of model.json and golden.json and the largest batch, and then the bytes of model.onnx; on its output goes one line of JSON, the verdict.

/** The first line that it reads; `batchCap` is the rows of the service's largest batch. */
export type Line = Omit<BundleFiles, 'model'> & { batchCap: number }

/** What went well is null; what did not, is a reason for the refusal. */
export type Verdict = { refused: { reason: ModelRefused['reason']; message: string } | null }

/** What onnxruntime and the C++ library say when they do not get the memory that they ask for. */
const NO_MEMORY = /bad_alloc|allocate memory|out of memory|failed to allocate|Array buffer allocation/i

interface Order {
  bundle: Bundle
  /** rows of a batch at the most */
  batchCap: number
}

async function readOrder(): Promise<Order> {
  const input = await buffer(process.stdin)
  const end = input.indexOf('\n')
  const { batchCap, ...texts } = JSON.parse(input.toString('utf8', 0, end)) as Line
  return { bundle: openBundle({ ...texts, model: input.subarray(end + 1) }), batchCap }
}

/** Loads the model and holds it to its golden answers, in batches of every size that the service runs. */
async function tryBundle({ bundle, batchCap }: Order): Promise<void> {
  const { manifest } = bundle
  const session = await openSession(new Uint8Array(bundle.model).slice())
  checkSignature(manifest, session)
  const batches = new GoldenBatches(bundle, batchCap)
  for (const batch of [...batches.alone, ...batches.together]) {
    const members = batch.map(number => batches.members[number]!)
    const window = Float32Array.from(members.flatMap(member => member.window))
    const times = usesMinute(manifest) ? { minute: Int32Array.from(members.flatMap(({ minute }) => minute!)) } : {}
    const forecasts = await session.run({ window, ...times }, batch.length, manifest.window).catch((error: Error) => {
      if (NO_MEMORY.test(error.message)) throw error
      throw new ModelRefused('golden_mismatch', `${rowsOf(batch)} cannot be run: ${error.message}`, { cause: error })
    })
    batches.check(batch, forecasts)
  }
}

function refusalOf(error: unknown): Verdict['refused'] {
  if (error instanceof ModelRefused) return { reason: error.reason, message: error.message }
  const message = error instanceof Error ? error.message : String(error)
  if (NO_MEMORY.test(message))
    return { reason: 'sandbox_oom', message: 'the model needs more memory than SANDBOX_MEMORY_MB' }
  return { reason: 'load_failed', message: `the model cannot be run: ${message}` }
}

const verdict: Verdict = { refused: null }
try {
  await tryBundle(await readOrder())
} catch (error) {
  verdict.refused = refusalOf(error)
}
process.stdout.write(`${JSON.stringify(verdict)}\n`)
