import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { analysisSection } from '../../src/bench/report/analysis.js'
import { crossCheckSection } from '../../src/bench/report/cross-check.js'
import { htmlPage } from '../../src/bench/report/html.js'
import { resultsMarkdown } from '../../src/bench/report/markdown.js'
import type { Run } from '../../src/bench/results/run.schema.js'
import { benchCell, benchRun } from '../support/bench-cells.js'
import { openBrowser, visit } from '../support/browser.js'

const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, deviceScaleFactor: 2 }

const cells = [4, 8].flatMap(workers =>
  [1, 2, 4, 8].flatMap(replicas =>
    [200, 400, 800].map(users =>
      benchCell({ plan: { phase: workers === 4 ? '1' : '2', workers, replicas, users }, notes: ['a note to be read'] })
    )
  )
)

/** The page as a file, of a run and of a cross-check at another commit, opened as a reader does. */
async function openReport(t: Test, traits: Partial<Run> = {}, options: Parameters<typeof visit>[2] = {}) {
  const run = benchRun(cells, traits)
  const later = { ...run, fingerprint: { ...run.fingerprint, commit: '0123456789abcdef'.repeat(4).slice(0, 40) } }
  const sections = [...analysisSection(run, cells), ...crossCheckSection({ run, cells }, { run: later, cells })]
  const html = await htmlPage(run, cells, resultsMarkdown(run, cells, sections))
  const file = join(t.testdir(), 'report.html')
  await writeFile(file, html)
  const url = pathToFileURL(file).href
  return { url, ...(await visit(await openBrowser(t), url, options)) }
}

t.test('the page stands alone: it asks for nothing and complains of nothing', async t => {
  const { url, asked, complaints } = await openReport(t)
  t.same(asked, [url])
  t.same(complaints, [])
})

t.test('every chart is drawn, and its figures stand below it', async t => {
  const { page } = await openReport(t)
  // Three lines each; equal ones lie on each other, the third on top
  const colour = await page.evaluate<string>(
    'getComputedStyle(document.documentElement).getPropertyValue("--line-3").trim()'
  )
  const charts = await page.$$eval(
    'figure',
    (figures, colour) =>
      figures.map(figure => {
        const canvas = figure.querySelector('canvas')!
        const context = canvas.getContext('2d')!
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
        let drawn = 0
        for (let i = 0; i < data.length; i += 4) {
          const pixel = [...data.slice(i, i + 3)].map(byte => byte.toString(16).padStart(2, '0')).join('')
          if (`#${pixel}` === colour) drawn++
        }
        return { drawn, rows: figure.querySelectorAll('details tbody tr').length }
      }),
    colour
  )
  // Throughput and batch size, and latency and CPU of three numbers of users, for each of two phases
  t.equal(charts.length, 16)
  for (const { drawn, rows } of charts) {
    t.ok(drawn > 100, `${drawn} pixels of the third line`)
    t.equal(rows, 4)
  }
})

t.test('the tables and the analysis of RESULTS.md are on the page', async t => {
  const { page } = await openReport(t)
  const headings = await page.$$eval('h2', all => all.map(({ textContent }) => textContent))
  t.same(headings.slice(0, 4), ['Charts', 'Phase 1: 4 load workers', 'Phase 2: 8 load workers', 'Analysis'])
  t.match(await page.innerText('main'), /Inference Replicas[^]*limited by host CPU; a note to be read/)
})

t.test('on a phone nothing is wider than the screen but tables, which scroll by themselves', async t => {
  const { page } = await openReport(t, {}, PHONE)
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360)
  const ends = await page.$$eval('.chart canvas', charts => charts.map(chart => chart.getBoundingClientRect().right))
  t.equal(ends.length, 16)
  t.ok(Math.max(...ends) <= 360)
})

t.test('markup in a command line stays text', async t => {
  const args = ['--target', '<img src=x onerror=alert(1)>', '[link](http://192.0.2.1/)']
  const { page, url, asked } = await openReport(t, { args, target: '<script>document.title = "no"</script>' })
  t.equal(await page.locator('main img, main script, main a').count(), 0)
  t.match(await page.innerText('main'), /<img src=x onerror=alert\(1\)>/)
  t.match(await page.title(), /^gru-inference: results of 2026-01-02/)
  t.same(asked, [url])
})
