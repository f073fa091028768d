import type { Manifest } from '../../model/bundle/manifest.js'

/** A window of the live model, from which the description of each route makes an example of its body. */
export interface Example {
  /** of `POST /predict` */
  readonly body: { readonly index_col: string; readonly data: Readonly<Record<string, readonly unknown[]>> }
  readonly manifest: Manifest
}

/** The example's rows, with the columns of these names in their order. */
export function rowsOf({ body: { data, index_col: index } }: Example, names: readonly string[]): unknown[][] {
  return data[index]!.map((_, row) => names.map(name => data[name]![row]))
}
