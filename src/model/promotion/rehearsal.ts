import { createHash } from 'node:crypto'
import { type Config, ConfigError, loadCheckConfig, quietLibraries } from '../../settings/config.js'
import { ModelRefused } from '../../errors.js'
import type { BundleFiles } from '../bundle/bundle.js'
import { parseManifest } from '../bundle/manifest.js'
import { ActiveModel } from './active-model.js'
import { readBundleFolder, Unreadable } from '../bundle/folder.js'
import { poolOptionsOf, sandboxLimitsOf } from './limits.js'
import { placeOf, placeAnywhere } from '../registry/artifact-uri.js'
import { Rollout } from './rollout.js'
import { runInSandbox } from './sandbox.js'
import { good, refusedAs, type Verdict } from './verdict.js'

// The entry of the process that src/check.ts starts: it takes a bundle live as a replica does, with nobody to serve, and sends
// the verdict. Its arguments are the folder and the address that a registry gives for it, or nothing.

/** A rollout counts and times for a service; here is none. */
const NOBODY = {
  promotion: () => undefined,
  step: () => undefined,
  batchRan: () => undefined,
  rowExpired: () => undefined,
  rowCancelled: () => undefined,
  workerDied: () => undefined,
  batchRescued: () => undefined,
  batchFailed: () => undefined
}

/** What is known of a bundle, whether or not it is refused. */
function describe({ manifest, model }: BundleFiles): Pick<Verdict, 'name' | 'version' | 'sha256'> {
  const sha256 = createHash('sha256').update(model).digest('hex')
  try {
    const { name, version } = parseManifest(manifest)
    return { name, version, sha256 }
  } catch {
    return { name: null, version: null, sha256 }
  }
}

/** Refuses an address that a replica with these settings would not follow. Where they name no bucket, any is as good. */
function checkAddress(address: string, { MLFLOW_TRACKING_URI: trackingUri, S3_BUCKET, S3_PREFIX }: Config): void {
  if (S3_BUCKET === '') placeAnywhere(address, trackingUri)
  else placeOf(address, { trackingUri, store: { bucket: S3_BUCKET, prefix: S3_PREFIX } })
}

/** Takes the bundle live and ends it again. Rejects with `ModelRefused`. */
async function rehearse(files: BundleFiles, config: Config, signal: AbortSignal): Promise<void> {
  const fetch = () => Promise.resolve(files)
  const limits = sandboxLimitsOf(config)
  const options = { fetch, pool: poolOptionsOf(config), maxRows: config.MAX_ROWS }
  const rollout = new Rollout(new ActiveModel(), options, NOBODY)
  const sandbox = (tried: BundleFiles) => runInSandbox(tried, limits, signal)
  await rollout.run({ fetch, sandbox, version: undefined, signal })
  // Once in this thread too: the native library must not be unloaded with the last worker.
  await import('../inference/worker/onnx-session.js')
  await rollout.close()
}

async function judge(folder: string, address: string | undefined, signal: AbortSignal): Promise<Verdict> {
  let known: Partial<Verdict> = {}
  try {
    const config = loadCheckConfig()
    if (address !== undefined) checkAddress(address, config)
    const { files, ignored } = await readBundleFolder(folder, config.MODEL_MAX_BYTES)
    known = { ...describe(files), ignored }
    await rehearse(files, config, signal)
    return good(known)
  } catch (error) {
    if (error instanceof ConfigError) return refusedAs('bad_setting', error.message)
    if (error instanceof Unreadable) return refusedAs('unreadable', error.message)
    if (!(error instanceof ModelRefused)) throw error
    return refusedAs(error.reason, error.message, { ...known, retryable: error.transient })
  }
}

quietLibraries()
const interrupted = new AbortController()
// Whoever started it has gone, or wants it to end: the trial's process goes first. A terminal tells all of them.
for (const end of ['disconnect', 'SIGTERM', 'SIGINT', 'SIGHUP']) process.on(end, () => interrupted.abort())
const [folder, address] = process.argv.slice(2)
const verdict = await judge(folder!, address, interrupted.signal)
process.send?.(verdict, () => process.disconnect())
