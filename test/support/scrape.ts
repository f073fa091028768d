/** Every series of a scrape, by its name and labels as they stand in the text. */
export type Scrape = ReadonlyMap<string, number>

export async function scrape(url: string): Promise<Scrape> {
  const answer = await fetch(`${url}/metrics`)
  if (answer.status !== 200) throw new Error(`/metrics answered ${answer.status}`)
  return parseScrape(await answer.text())
}

function parseScrape(text: string): Scrape {
  const series = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(
    series.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))])
  )
}

/** How much a series has grown; one that is not there stands at 0. */
export function grown(series: string, before: Scrape, after: Scrape): number {
  return (after.get(series) ?? 0) - (before.get(series) ?? 0)
}

/** What tests ask while they wait for something, in numbers that nobody keeps. */
const PROBES = ['/metrics', '/readyz']

/** Requests that ended between two scrapes, by status, over every route but the probes'. */
export function requestsByStatus(before: Scrape, after: Scrape): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const series of after.keys()) {
    const labels = /^gru_request_duration_seconds_count\{route="(.*)",status="(\d+)"\}$/.exec(series)
    const count = labels && !PROBES.includes(labels[1]!) ? grown(series, before, after) : 0
    if (labels && count > 0) counts[labels[2]!] = (counts[labels[2]!] ?? 0) + count
  }
  return counts
}
