import fc from 'fast-check'
import t from 'tap'
import { ServiceError } from '../../../../src/errors.js'
import { parseJsonBody } from '../../../../src/server/predict/json-body.js'
import { refuseFaults } from '../../../../src/server/predict/json-faults.js'
import { bodyOf, gru } from '../../../support/bundles.js'
import { expensiveBodies } from '../../../support/expensive-bodies.js'

const bundle = gru()
const RUNS = 3000

/** What a reader says of a text: nothing if it takes it. */
function said(
  read: (body: Buffer) => unknown,
  text: string
): Pick<ServiceError, 'code' | 'message' | 'path'> | undefined {
  try {
    read(Buffer.from(text))
    return undefined
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    return error
  }
}

/** JSON texts of every shape, spaced in every way. */
const json = fc
  .tuple(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1, '\t', '\n', '\r\n '))
  .map(([text, space]) => {
    return JSON.stringify(JSON.parse(text), null, space)
  })
const unit = fc.constantFrom(...'{}[]",:\\0123456789+-.eEtrufalsn \n\t\u0000\u001f\u007féü😀\u2028', '\\u00e', '"":')

t.test('the careful look calls JSON what JSON.parse does, and nothing else', t => {
  let refusals = 0
  const damaged = fc.property(
    json,
    fc.nat(),
    fc.array(unit, { maxLength: 3 }),
    fc.nat({ max: 3 }),
    (text, place, put, cut) => {
      const at = place % (text.length + 1)
      const changed = text.slice(0, at) + put.join('') + text.slice(at + cut)
      // Half a pair is no text that could come in as UTF-8.
      fc.pre(Buffer.from(changed).toString() === changed)
      let isJson = true
      try {
        JSON.parse(changed)
      } catch {
        isJson = false
      }
      refusals += Number(!isJson)
      const code = said(body => refuseFaults(body), changed)?.code
      // A key that stands twice may come before the place where it stops being JSON, or be all that is wrong.
      return code === 'duplicate_key' || (code === 'malformed_json') === !isJson
    }
  )
  fc.assert(damaged, { numRuns: RUNS })
  t.ok(refusals > RUNS / 5 && refusals < RUNS, `${refusals} were no JSON`)
  t.end()
})

/** The tokens of a text that is JSON, and the space between them. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[-+.\w]+|[{}[\]:,]|\s+/gu

t.test(
  'a body that stops being JSON is told to at the character where it does, and one that is cut to end too early',
  t => {
    const broken = fc.property(json, fc.nat(), (text, place) => {
      const tokens = text.match(TOKENS) ?? []
      const before = tokens.slice(0, place % (tokens.length + 1)).join('')
      const { code, message } = said(parseJsonBody, `${before}@${text.slice(before.length)}`) ?? {}
      // What it may be instead is said behind that.
      const [where] = message?.split('; ') ?? []
      return code === 'malformed_json' && where === `the body is not JSON from character ${before.length} on`
    })
    fc.assert(broken, { numRuns: RUNS })
    const cut = fc.property(fc.nat(), fc.nat(), (index, place) => {
      const text = JSON.stringify(bodyOf(bundle, index % 64))
      const { code, message } = said(parseJsonBody, text.slice(0, place % text.length)) ?? {}
      return code === 'malformed_json' && message === 'the body ends too early'
    })
    fc.assert(cut, { numRuns: RUNS })
    t.end()
  }
)

/** A key as it may be written: each character itself or escaped, and space before its colon. */
const written = (key: string) =>
  fc
    .tuple(
      fc.array(fc.boolean(), { minLength: key.length, maxLength: key.length }),
      fc.constantFrom('', ' ', '\n', '\t', '\r ')
    )
    .map(([escaped, space]) => {
      const unit = (at: number) => `\\u${key.charCodeAt(at).toString(16).padStart(4, '0')}`
      return `"${[...escaped.keys()].map(at => (escaped[at] ? unit(at) : JSON.stringify(key[at]).slice(1, -1))).join('')}"${space}:`
    })
/** Values that look like keys, or have as many colons as one. */
const value = fc.constantFrom(
  '1',
  '":"',
  '" :"',
  '"a\\":"',
  '[":",":"]',
  '{}',
  '"{"',
  '"2018-02-28T05:54:00"',
  '[{"a":1}]'
)

t.test(
  'of two equal keys one is told, however both are written and whatever stands beside; different keys are taken',
  t => {
    const keys = fc.uniqueArray(fc.string({ minLength: 0, maxLength: 6 }), { minLength: 2, maxLength: 6 })
    const members = keys.chain(all =>
      fc.record({
        names: fc.constant(all),
        twice: fc.option(fc.nat({ max: all.length - 1 }), { nil: undefined }),
        texts: fc.tuple(...all.map(written)),
        again: fc.tuple(...all.map(written)),
        values: fc.array(value, { minLength: all.length + 1, maxLength: all.length + 1 }),
        inner: fc.boolean()
      })
    )
    const held = fc.property(members, ({ names, twice, texts, again, values, inner }) => {
      const all = texts.map((text, at) => text + values[at])
      if (twice !== undefined) all.push(again[twice]! + values.at(-1)!)
      const object = `{${all.join(',')}}`
      const failure = said(parseJsonBody, inner ? `{"data":${object}}` : object)
      if (twice === undefined) return failure === undefined
      const escaped = names[twice]!.replaceAll('~', '~0').replaceAll('/', '~1')
      return failure?.code === 'duplicate_key' && failure.path === `${inner ? '/data' : ''}/${escaped}`
    })
    fc.assert(held, { numRuns: RUNS })
    t.end()
  }
)

t.test('a key that stands twice deep in a body is told as well, with where it is', t => {
  t.match(said(parseJsonBody, '{"data":{"ts":[1,{"a":{"b":[[],{"c":1,"c":2}]}}]}}'), {
    code: 'duplicate_key',
    path: '/data/ts/1/a/b/1/c'
  })
  t.match(said(parseJsonBody, '[{"a":1},{"a":1,"b":2,"a":3}]'), { code: 'duplicate_key', path: '/1/a' })
  t.end()
})

/** Counts how often bytes of a body are looked at; what turns a part of it into text counts as one look at each. */
function looksAt(body: Buffer): number {
  let looks = 0
  const counting = new Proxy(body, {
    get(target, name) {
      if (name === 'toString') {
        return (encoding: BufferEncoding, start: number, end: number) => {
          looks += end - start
          return target.toString(encoding, start, end)
        }
      }
      if (typeof name === 'string' && /^\d/.test(name)) looks++
      return Reflect.get(target, name, target) as unknown
    }
  })
  try {
    refuseFaults(counting)
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
  }
  return looks
}

t.test('the careful look goes over a body once: no byte of any is looked at more than a few times', t => {
  const [half, whole] = [16_384, 32_768].map(bytes => expensiveBodies(bundle, bytes))
  for (const [what, body] of Object.entries(whole!)) {
    const looks = looksAt(body)
    t.ok(looks <= 8 * body.length + 100, `${what}: ${(looks / body.length).toFixed(2)} looks at a byte`)
    t.ok(looks <= 2.5 * looksAt(half![what]!) + 100, `${what}: twice as many bytes, twice as many looks`)
  }
  t.end()
})
