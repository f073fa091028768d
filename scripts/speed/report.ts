/** One measured figure beside its bar. */
export interface Figure {
  what: string
  value: number
  /** what the figure must not exceed, or not fall below */
  bar: { least?: number; most?: number }
  unit?: string
  detail: string
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
}

/** The value below or at which a share of them lies. */
export function percentile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1]!
}

export function range(values: readonly number[], digits = 2): string {
  return `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`
}

export function holds({ value, bar: { least = -Infinity, most = Infinity } }: Figure): boolean {
  return value >= least && value <= most
}

/** The figures as a Markdown table. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map(figure => {
    const { what, value, bar, unit = 'x', detail } = figure
    const wanted = bar.least === undefined ? `<= ${bar.most} ${unit}` : `>= ${bar.least} ${unit}`
    return `| ${what} | ${value.toFixed(2)} ${unit} | ${wanted} | ${holds(figure) ? 'yes' : 'NO'} | ${detail} |`
  })
  return ['| what | measured | bar | holds | detail |', '|---|---|---|---|---|', ...rows].join('\n')
}
