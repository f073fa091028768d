import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js'

/** An hour: what no timeout reaches. */
const HIGHEST_US = 3_600_000_000

/** A histogram of latencies in µs, three significant digits, of fixed size: recording allocates nothing. */
export function latencyHistogram(): Histogram {
  return build({
    bitBucketSize: 32,
    useWebAssembly: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_US,
    numberOfSignificantValueDigits: 3
  })
}

/** HdrHistogram V2, compressed, base64: as it travels between processes and lies in the results. */
export const encodeLatency = (histogram: Histogram): string => encodeIntoCompressedBase64(histogram)

/** Merges histograms: percentiles of the sum, never an average of percentiles. */
export function mergeLatency(encoded: readonly string[]): Histogram {
  const merged = latencyHistogram()
  for (const text of encoded) merged.add(decodeFromCompressedBase64(text, 32, false))
  return merged
}
