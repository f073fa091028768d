// Fails when fewer than 95 % of the lines of a guarded folder were run by the tests. tap itself knows only 100 %.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

const LEAST = 95
const GUARDED = ['src/model/', 'src/server/']

const summary = JSON.parse(readFileSync('.tap/report/coverage-summary.json', 'utf8'))
for (const folder of GUARDED) {
  let total = 0
  let covered = 0
  for (const [file, { lines }] of Object.entries(summary)) {
    if (!relative('.', file).startsWith(folder)) continue
    total += lines.total
    covered += lines.covered
  }
  const percent = total === 0 ? 0 : (100 * covered) / total
  process.stdout.write(`${folder} ${percent.toFixed(1)} % of ${total} lines covered (at least ${LEAST} %)\n`)
  if (percent < LEAST) process.exitCode = 1
}
