import { readFileSync } from 'node:fs'

interface Golden {
  windows: { time: string[]; window: number[][] }[]
}

/** The golden windows as bodies: real ones, all different. */
export function realBodies(): Buffer[] {
  const read = (file: string): unknown => JSON.parse(readFileSync(`models/gru/${file}`, 'utf8'))
  const { features } = read('model.json') as { features: { name: string }[] }
  return (read('golden.json') as Golden).windows.map(({ time, window }) => {
    const columns = features.map(({ name }, feature) => [name, window.map(row => row[feature])])
    return Buffer.from(JSON.stringify({ index_col: 'ts', data: { ts: time, ...Object.fromEntries(columns) } }))
  })
}
