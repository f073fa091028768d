/** What a source says is promoted now: checked, so no part of it is hostile any more. */
export interface ModelRef {
  kind: 'local' | 's3' | 'mlflow'
  /** of the registered model, or of the bundle */
  name: string
  /** the registry's own, or the bundle's */
  version: string
  runId: string | null
  /** sha256 that tells one bundle from another, hexadecimal; null where the source states none */
  digest: string | null
  /** for people; holds no credentials */
  location: string
}

/** Where promoted models come from. Both methods reject with `ModelRefused`. */
export interface ModelSource {
  /** Asks what is promoted now. */
  resolve(signal: AbortSignal): Promise<ModelRef>
  /** Puts the three files of a bundle into `folder`, which exists and is empty. */
  fetch(pointer: ModelRef, folder: string, signal: AbortSignal): Promise<void>
}

/** Tells one promoted bundle from another. */
export function keyOf({ kind, name, version, digest }: Pick<ModelRef, 'kind' | 'name' | 'version' | 'digest'>): string {
  return JSON.stringify([kind, name, version, digest])
}
