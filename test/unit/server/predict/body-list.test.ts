import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import t from 'tap'
import { elementsOf } from '../../../../src/server/predict/body-list.js'

const MOST = 20

/** What `JSON.parse` makes of each element; undefined where the body is refused, or an element is no JSON. */
function read(text: string): unknown[] | undefined {
  try {
    return elementsOf(Buffer.from(text), MOST).map(element => JSON.parse(element.toString()))
  } catch {
    return undefined
  }
}

/** What `JSON.parse` makes of the whole; undefined where it is no array of 1 to 20 elements. */
function whole(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && value.length > 0 && value.length <= MOST ? value : undefined
  } catch {
    return undefined
  }
}

const TEXTS = [
  '[{"data":{"ts":["a]","b\\"]["],"x":[1,2.5e-3]}},{},[],[[]],"s, ]","\\\\",1,null]',
  ' [ {"a" : [ {"b" : "}" } ] } ,\n\t2 , "é€" ] \r\n',
  '[1]',
  `[${Array.from({ length: MOST }, (_, index) => `{"n":${index}}`).join()}]`
]

t.test('the elements are those of JSON.parse, however the text is written', t => {
  for (const text of TEXTS) t.same(read(text), whole(text), text)
  t.end()
})

t.test('a body that is no array of 1 to 20 elements is refused by name', t => {
  const refused = (text: string, code: string) => t.throws(() => elementsOf(Buffer.from(text), MOST), { code }, text)
  for (const text of ['{}', '1', '"[]"', '', 'x']) refused(text, 'wrong_type')
  for (const text of ['[]', ' [ ] ', `[${'1,'.repeat(MOST)}1]`]) refused(text, 'out_of_range')
  for (const text of ['[', '[1', '[1,', '[1,]', '[,1]', '[1]]', '[1] 2', '[1 2]', '["a', '[{"a":1]', '[{]}']) {
    t.throws(() => {
      for (const element of elementsOf(Buffer.from(text), MOST)) JSON.parse(element.toString())
    }, text)
  }
  t.end()
})

t.test('mutated texts: taken exactly where JSON.parse takes the whole, and with the same elements', t => {
  const source = xoroshiro128plus(20_261_127)
  const below = (most: number) => uniformInt(source, 0, most - 1)
  const pieces = ['[', ']', '{', '}', ',', '"', '\\', ':', ' ', '1', 'x', '\n', '"a"', '[]', '{}', '\u0000', 'é']
  let taken = 0
  for (let round = 0; round < 20_000; round++) {
    let text = TEXTS[below(TEXTS.length)]!
    for (let changes = 1 + below(3); changes > 0; changes--) {
      const at = below(text.length)
      text = text.slice(0, at) + pieces[below(pieces.length)]! + text.slice(at + below(3))
    }
    const ours = read(text)
    const theirs = whole(text)
    if (JSON.stringify(ours) !== JSON.stringify(theirs)) t.same(ours, theirs, text)
    if (ours) taken++
  }
  t.ok(taken > 100 && taken < 19_900, `${taken} were taken`)
  t.end()
})
