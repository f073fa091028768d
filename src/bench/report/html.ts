import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { Marked } from 'marked'
import type { Cell } from '../results/cell.schema.js'
import type { Run } from '../results/run.schema.js'
import { type Chart, phaseCharts } from './charts.js'
import { digits } from './format.js'
import { phases } from './markdown.js'

/**
 * The report as one page that needs nothing else: RESULTS.md, and charts of the same figures drawn by uPlot.
 * @param markdown what `resultsMarkdown` made of the same run
 */
export async function htmlPage(run: Run, cells: readonly Cell[], markdown: string): Promise<string> {
  const [css, script, plotCss, plotScript] = await Promise.all([
    readFile(new URL('ui/report.css', import.meta.url), 'utf8'),
    readFile(new URL('ui/charts.js', import.meta.url), 'utf8'),
    library('uPlot.min.css'),
    library('uPlot.iife.min.js')
  ])
  const figures = phases(run, cells).flatMap(phase => {
    const charts = phaseCharts(phase).filter(({ replicas }) => replicas.length > 1)
    return charts.length === 0
      ? []
      : [`<h3>${escape(phase.title)}</h3><div class="charts">${charts.map(figure).join('')}</div>`]
  })
  const charts = figures.length === 0 ? '' : `<h2>Charts</h2>${figures.join('')}`
  const [head, ...sections] = markdown.split(/^(?=## )/m)
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">',
    `<title>gru-inference: results of ${escape(run.startedAt.slice(0, 10))}</title>`,
    `<style>${plotCss}${css}</style></head><body><main>`,
    toHtml(head ?? ''),
    charts,
    ...sections.map(toHtml),
    `</main><script>${plotScript}</script><script>${script}</script></body></html>\n`
  ].join('\n')
}

/** A chart, and the same figures as a table for those who cannot see it. */
function figure(chart: Chart): string {
  const { title, unit, replicas, series } = chart
  const head = ['replicas', ...series.map(({ name }) => name)].map(text => `<th scope="col">${escape(text)}</th>`)
  const rows = replicas.map((count, index) => {
    const figures = series.map(({ values }) => `<td>${values[index] === null ? '' : digits(values[index]!)}</td>`)
    return `<tr><th scope="row">${count}</th>${figures.join('')}</tr>`
  })
  return [
    `<figure><figcaption>${escape(title)} (${escape(unit)})</figcaption>`,
    `<div class="chart" role="img" aria-label="${escape(title)} over replicas; its figures are in the table below" data-chart="${escape(JSON.stringify(chart))}"></div>`,
    `<details><summary>Figures</summary><table><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></details></figure>`
  ].join('')
}

/** What stands in `RESULTS.md` is text: markup in it, of a command line for one, stays text. */
const marked = new Marked({
  renderer: {
    html: ({ text }) => escape(text),
    link: ({ text }) => escape(text),
    image: ({ text }) => escape(text)
  }
})

function toHtml(markdown: string): string {
  const html = marked.parse(markdown, { async: false })
  return html.replaceAll('<table>', '<div class="wide" tabindex="0"><table>').replaceAll('</table>', '</table></div>')
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function library(name: string): Promise<string> {
  return readFile(createRequire(import.meta.url).resolve(`uplot/dist/${name}`), 'utf8')
}
