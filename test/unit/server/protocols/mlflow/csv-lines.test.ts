import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import t from 'tap'
import { csvLines } from '../../../../../src/server/protocols/mlflow/csv-lines.js'

const BOUNDS = { rows: 10, columns: 10 }
const cellsOf = (text: string) => csvLines(text, BOUNDS).map(({ cells }) => cells)

t.test('lines are cut as RFC 4180 has it, and keep the numbers that editors give them', t => {
  t.strictSame(cellsOf('a,b\n1,2\n'), [
    ['a', 'b'],
    ['1', '2']
  ])
  t.strictSame(cellsOf('a,b\r\n1,2'), cellsOf('a,b\n1,2\n'))
  t.strictSame(cellsOf('a,b\r1,2\r'), cellsOf('a,b\n1,2\n'))
  t.strictSame(cellsOf(',\n"",\n'), [
    ['', ''],
    ['', '']
  ])
  t.strictSame(cellsOf('"a ""b"", c","d\ne"\n'), [['a "b", c', 'd\ne']])
  t.strictSame(cellsOf(''), [])
  t.strictSame(cellsOf('\n\r\n\n'), [])
  const lines = csvLines('\na\n\n"b\r\nc"\n\nd', BOUNDS)
  t.strictSame(
    lines.map(({ line }) => line),
    [2, 4, 7]
  )
  t.end()
})

t.test('quotes that do not match are refused, with line and cell', t => {
  for (const [text, path] of [
    ['"a', '/line 1/0'],
    ['a,b\n1,"2', '/line 2/1'],
    ['a,"b"c', '/line 1/1'],
    ['a"b', '/line 1/0'],
    ['"a\nb"x', '/line 1/0']
  ] as const) {
    t.throws(() => csvLines(text, BOUNDS), { code: 'bad_request', path }, text)
  }
  t.end()
})

t.test('what is written by the rules is read as it was, whatever it holds', t => {
  const random = xoroshiro128plus(15)
  const below = (most: number) => uniformInt(random, 0, most - 1)
  const letters = ['a', '1', ',', '"', '\n', '\r\n', ' ', 'é', '😀', '']
  const cell = () => Array.from({ length: below(5) }, () => letters[below(letters.length)]!).join('')
  const written = (text: string) => (/[",\r\n]/.test(text) || below(3) === 0 ? `"${text.replaceAll('"', '""')}"` : text)
  for (let round = 0; round < 2000; round++) {
    const width = 2 + below(3)
    const rows = Array.from({ length: 1 + below(4) }, () => Array.from({ length: width }, cell))
    const text = rows.map(row => row.map(written).join()).join(below(2) === 0 ? '\n' : '\r\n')
    t.strictSame(cellsOf(text), rows, JSON.stringify(text))
  }
  t.end()
})
