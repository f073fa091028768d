import type { ScannedTable } from '../../model/inference/window-scanner.js'
import type { ValidWindow, WindowReader } from '../../model/inference/window.js'
import type { PredictBody } from '../schemas/predict.js'
import { parseJsonBody } from './json-body.js'

/** A body of the commonest shape, which the reader of the model that served at that moment has read without parsing. */
export class ScannedBody {
  readonly #reader: WindowReader
  readonly #table: ScannedTable
  readonly #bytes: Buffer

  constructor(reader: WindowReader, table: ScannedTable, bytes: Buffer) {
    this.#reader = reader
    this.#table = table
    this.#bytes = bytes
  }

  get steps(): number {
    return this.#table.steps
  }

  /** Writes the window into `slot` of the model that `reader` belongs to; throws as `WindowReader.read`. */
  read(reader: WindowReader, slot: number): ValidWindow {
    if (reader === this.#reader) return reader.readScanned(this.#table, slot)
    // Another model was promoted since: its columns and bounds may be others.
    return reader.read(parseJsonBody(this.#bytes) as PredictBody, slot)
  }
}
