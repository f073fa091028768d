import { bodyOf, type TestBundle } from './bundles.js'

/** A part again and again, up to `bytes` bytes. */
const fill = (part: string, bytes: number) => part.repeat(Math.max(1, Math.floor(bytes / Buffer.byteLength(part))))

/** Distinct short names: no two calls have one in common, so that no engine has seen them before. */
let names = 0
const freshName = () => `k${(names++).toString(36)}`

/** Members of an object, each with a name of its own. */
function freshMembers(value: string, bytes: number): string[] {
  const members: string[] = []
  for (let left = bytes; left > 0; left -= members.at(-1)!.length + 1) members.push(`"${freshName()}":${value}`)
  return members
}

/** A table of a model's golden rows, again and again, with as many rows as fit `bytes`: what `JSON.parse` is measured with. */
export function tableOf(bundle: TestBundle, bytes: number): string {
  const { index_col, data } = bodyOf(bundle, 0)
  const table = (rows: number) =>
    JSON.stringify({
      index_col,
      data: Object.fromEntries(
        Object.entries(data).map(([name, column]) => [name, Array.from({ length: rows }, (_, row) => column[row % 10])])
      )
    })
  return table(Math.floor((bytes - 300) / ((table(110).length - table(10).length) / 100)))
}

/**
 * Bodies of about `bytes` bytes, each of which costs some reader of JSON more than others of its size: its stack, its time, or
 * memory. By what they are.
 */
export function expensiveBodies(bundle: TestBundle, bytes: number): Record<string, Buffer> {
  const valid = JSON.stringify(bodyOf(bundle, 0))
  const table = tableOf(bundle, bytes)
  const left = bytes - 64
  const inTimes = (text: string) => `{"data":{"ts":[${text}]}}`
  const beside = (column: string) => valid.replace('"ts":', () => `${column},"ts":`)
  const rest = bytes - valid.length - 16
  const texts: Record<string, string> = {
    'a table': table,
    'a table with spaces': JSON.stringify(JSON.parse(tableOf(bundle, bytes / 3)), null, 2).padEnd(bytes, ' '),
    'a window and spaces': valid.padEnd(bytes, ' '),
    'a space before a colon, and spaces': valid.replace('"down":', '"down" :').padEnd(bytes, ' '),
    'spaces before a colon': valid.replace('"down":', () => `"down"${fill(' ', rest)}:`),
    'line breaks before every colon': valid.replaceAll('":', () => `"${fill('\n', rest / 15)}:`),
    'NaN at the end of a table': table.replace(/[\d.]+\]\}\}$/, 'NaN]}}'),
    'a table without its end': table.slice(0, -2),
    'garbage behind a window and spaces': `${valid.padEnd(bytes - 1, ' ')}x`,
    'fresh keys': `{${freshMembers('1', left).join(',')}}`,
    'fresh keys, one of them twice': `{${[...freshMembers('1', left), '"twice":1', '"twice":1'].join(',')}}`,
    'fresh keys with a space': `{${freshMembers('1', left * 0.9)
      .join(',')
      .replaceAll('":', '" :')}}`,
    'fresh columns': `{"data":{${freshMembers('[]', left).join(',')}}}`,
    'fresh columns beside a window': beside(freshMembers('[]', rest).join(',')),
    'the same key again and again': `{${fill('"a":1,', left)}"b":1}`,
    'numbers as keys': `{${Array.from({ length: left / 15 }, (_, key) => `"${key * 70_001}":1`).join(',')}}`,
    'objects in a list': inTimes(`${fill('{"a":1},', left)}{}`),
    'empty objects in a list': inTimes(`${fill('{},', left)}{}`),
    'empty lists in a list': inTimes(`${fill('[],', left)}[]`),
    'rows instead of columns': `{"data":[${fill('[1,2,3],', left)}[]]}`,
    'open lists': fill('[', bytes),
    'open lists with spaces': fill('[ ', bytes),
    'open objects': fill('{"a":', bytes),
    'lists in each other': fill('[', bytes / 2) + fill(']', bytes / 2),
    'objects in each other': `${'{"a":'.repeat(left / 6)}1${'}'.repeat(left / 6)}`,
    'a list of ones': `[${fill('1,', left)}1]`,
    'times that are ones': inTimes(`${fill('1,', left)}1`),
    'empty strings': inTimes(`${fill('"",', left)}""`),
    'numbers without end': inTimes(`${fill('1e999,', left)}1`),
    'numbers of 400 digits': inTimes(`${fill(`${'9'.repeat(400)},`, left)}1`),
    'one number of many digits': inTimes(fill('9', left)),
    'one number of many digits behind its point': inTimes(`0.${fill('1', left)}`),
    'a long field': `{"${fill('~', left)}":1}`,
    'a long column of a wrong type': `{"data":{"${fill('~', left)}":1}}`,
    'a long column': beside(`"${fill('/', rest)}":[]`),
    'a long name of the times': `{"index_col":"${fill('i', left / 2)}","data":{"${fill('i', left / 2)}":[]}}`,
    'a long key in escapes': `{"${fill('\\u007e', left)}":1}`,
    'two keys that are one, in escapes': beside(`"${fill('\\u0041', rest / 2)}":[],"${fill('A', rest / 12)}":[]`),
    'a long time': inTimes(`"${fill('2018-02-28T05:54:00', left)}"`),
    'long times': inTimes(`${fill(`"2018-02-28T05:54:00.${'0'.repeat(200)}",`, left)}""`),
    'a string of surrogates': inTimes(`"${fill('\\ud83d\\ude00', left)}"`),
    'a string of half surrogates': inTimes(`"${fill('\\ud83d', left)}"`),
    'a string of backslashes': inTimes(`"${fill('\\\\', left)}"`),
    'a string of backslashes without its end': inTimes(`"${fill('\\\\', left)}`),
    'a string of quotes and colons': inTimes(`"${fill('\\":', left)}"`),
    'a string of colons': inTimes(`"${fill(':', left)}"`),
    'a string of spaced colons': inTimes(`"${fill(' :', left)}"`),
    'a string of brackets': inTimes(`"${fill('[{', left)}"`),
    'a string of two-byte characters': inTimes(`"${fill('é', left)}"`),
    'a string of four-byte characters without its end': inTimes(`"${fill('😀', left)}`),
    'a string with a line break at its end': inTimes(`"${fill('a', left)}\n"`),
    'a byte order mark': `\ufeff${table.slice(0, -3)}`,
    'a byte order mark and spaces': `\ufeff${fill(' ', left)}`,
    quotes: fill('"', bytes),
    'minus signs': fill('-', bytes)
  }
  const bodies = Object.fromEntries(Object.entries(texts).map(([what, text]) => [what, Buffer.from(text)]))
  const broken = Buffer.from(table)
  broken[broken.length - 3] = 0xff
  return {
    ...bodies,
    'a byte at the end that is no UTF-8': broken,
    'UTF-16': Buffer.from(table.slice(0, bytes / 2), 'utf16le')
  }
}
