import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openRun, type StoredRun, writeWhole } from '../results/store.js'
import { analysisSection } from './analysis.js'
import { CROSS_CHECK, crossCheckSection } from './cross-check.js'
import { resultsCsv } from './csv.js'
import { htmlPage } from './html.js'
import { resultsMarkdown } from './markdown.js'

/**
 * Draws the report of a folder of results into it: RESULTS.md, report.html, results.csv. What was there is replaced. A
 * cross-check that lies in the folder is a section of it.
 * @throws BenchError `bad_results` when the folder is not one, `disk` when it cannot be written
 */
export async function renderReport(folder: string): Promise<void> {
  const { run, cells } = await openRun(folder)
  const sections = [...analysisSection(run, cells), ...(await crossCheck(folder, { run, cells }))]
  const markdown = resultsMarkdown(run, cells, sections)
  await writeWhole(folder, 'RESULTS.md', markdown)
  await writeWhole(folder, 'report.html', await htmlPage(run, cells, markdown))
  await writeWhole(folder, 'results.csv', resultsCsv(cells))
}

async function crossCheck(folder: string, stored: Pick<StoredRun, 'run' | 'cells'>): Promise<string[]> {
  const within = join(folder, CROSS_CHECK)
  return existsSync(join(within, 'run.json')) ? crossCheckSection(stored, await openRun(within)) : []
}
