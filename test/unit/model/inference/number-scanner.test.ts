import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import t from 'tap'
import { NumberScanner } from '../../../../src/model/inference/number-scanner.js'

const ROUNDS = 300_000
const scanner = new NumberScanner()
const bits = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]!

/** What the text is to `JSON.parse`, as the bits of a float32; undefined if it is no number. */
function parsed(text: string): number | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'number' ? bits(Math.fround(value)) : undefined
  } catch {
    return undefined
  }
}

/** What the scanner makes of all of the text; undefined where it gives up. */
function scanned(text: string): number | undefined {
  const value = scanner.read(Buffer.from(text), 0)
  return Number.isNaN(value) || scanner.end !== text.length ? undefined : bits(value)
}

t.test('numbers at the edges of float32, of doubles and of JSON', t => {
  const taken = [
    '0',
    '-0',
    '0.0',
    '7',
    '33187304.0',
    '0.1',
    '1e5',
    '1E+5',
    '25e-3',
    '16777217',
    '3.4028235e38'.slice(0, 9)
  ]
  for (const text of taken) t.equal(scanned(text), parsed(text), text)
  const left = ['', '-', '+1', '.5', '5.', '01', '-01', '1e', '1e+', '1e400', 'NaN', 'Infinity', '0x10', '1_0', ' 1']
  for (const text of left) t.equal(scanned(text), undefined, text)
  // Halfway between two float32, and a little to each side: the doubles differ, and so do the float32.
  for (const text of [
    '16777217.000000000',
    '16777217.0000000000000001',
    '1.00000005960464477539',
    '0.30000001192092896'
  ]) {
    const value = scanned(text)
    if (value !== undefined) t.equal(value, parsed(text), text)
  }
  t.end()
})

t.test('what is taken has the bits that JSON.parse gives, and nearly all that services send is taken', t => {
  const random = xoroshiro128plus(20261127)
  const upTo = (most: number) => uniformInt(random, 0, most)
  const digits = (count: number) => Array.from({ length: count }, () => upTo(9)).join('')
  const shapes = [
    () => String(upTo(2 ** 31)),
    () => `${upTo(99_999_999)}.0`,
    () => `${upTo(9999)}.${digits(1 + upTo(18))}`,
    () => `0.${'0'.repeat(upTo(6))}${digits(1 + upTo(18))}`,
    () => `${upTo(9)}.${digits(1 + upTo(10))}e${upTo(1) ? '-' : ''}${upTo(25)}`,
    // As JavaScript and Python write doubles that come of float32 arithmetic.
    () => String(Math.fround(upTo(2 ** 30) / (1 + upTo(1000)))),
    () => String(upTo(2 ** 30) / (1 + upTo(1000))),
    // Halfway between two float32, and a little beside it: where doubles that are off by a bit round the other way.
    () => ((2 ** 23 + upTo(2 ** 23) + 0.5) * 2 ** -upTo(20)).toPrecision(17 + upTo(8)),
    () => `${((2 ** 23 + upTo(2 ** 23) + 0.5) * 2 ** -upTo(20)).toPrecision(20)}${digits(1 + upTo(3))}`
  ]
  const marks = '0123456789.eE+-'
  let taken = 0
  let wrong = 0
  for (let round = 0; round < ROUNDS; round++) {
    const text = shapes[round % shapes.length]!()
    const value = scanned(text)
    if (value !== undefined) taken++
    if (value !== undefined && value !== parsed(text)) wrong++
    const at = upTo(text.length)
    const mutated = text.slice(0, at) + marks[upTo(marks.length - 1)] + text.slice(at + upTo(1))
    const other = scanned(mutated)
    if (other !== undefined && other !== parsed(mutated)) wrong++
  }
  t.equal(wrong, 0)
  t.ok(taken > 0.7 * ROUNDS, `${taken} of ${ROUNDS}`)
  t.end()
})
