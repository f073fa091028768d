import { writeFile } from 'node:fs/promises'
import type { Case } from '../load/cases.js'

/** Writes the payload of a Locust run, one case a line, so that both generators send the same bytes and expect the same rows. */
export async function writePayload(file: string, cases: readonly Case[]): Promise<void> {
  const lines = cases.map(({ body, version, rows }) => JSON.stringify({ body, expected: rows, version }))
  await writeFile(file, lines.map(line => `${line}\n`).join(''))
}
