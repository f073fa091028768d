import t from 'tap'
import { parseJsonBody } from '../../../src/server/predict/json-body.js'
import { bodyOf, gru } from '../../support/bundles.js'
import { goldenAnswer } from '../../support/golden.js'
import { CANARY, type Refusal, refused } from '../../support/refusal.js'
import { withService } from '../../support/shared-service.js'

const bundle = gru()
const valid = JSON.stringify(bodyOf(bundle, 0))
const rest = valid.slice(valid.indexOf('"data"'))
const firstDown = /"down":\[([^,]+),/.exec(valid)![1]!

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))))

const NOT_JSON: Record<string, [string | Uint8Array, Refusal]> = {
  nothing: ['', ['malformed_json']],
  'spaces only': ['   ', ['malformed_json']],
  'a word': [CANARY, ['malformed_json']],
  'an open brace': ['{', ['malformed_json']],
  'a body cut in the middle of a string': [valid.slice(0, 40), ['malformed_json', '/data/ts/0']],
  'a body without its end': [valid.slice(0, -1), ['malformed_json', '/data']],
  'text behind the body': [`${valid}${CANARY}`, ['malformed_json']],
  'two bodies': [`${valid}${valid}`, ['malformed_json']],
  'a byte order mark': [`\ufeff${valid}`, ['malformed_json']],
  'UTF-16': [Buffer.from(valid, 'utf16le'), ['malformed_json']],
  'NaN as Python writes it': [valid.replace(firstDown, 'NaN'), ['malformed_json', '/data/down/0']],
  'Infinity as Python writes it': [valid.replace(firstDown, '-Infinity'), ['malformed_json', '/data/down/0']],
  'a hexadecimal number': [valid.replace(firstDown, '0x10'), ['malformed_json', '/data/down/0']],
  'a leading zero': [valid.replace(firstDown, '01'), ['malformed_json', '/data/down/0']],
  'a plus sign': [valid.replace(firstDown, '+1'), ['malformed_json', '/data/down/0']],
  'a trailing comma': [valid.replace('{', '{,'), ['malformed_json']],
  'single quotes': [valid.replaceAll('"', "'"), ['malformed_json']],
  'a comment': [`${valid.slice(0, -1)}/* ${CANARY} */}`, ['malformed_json', '/data']],
  'a line break in a string': [valid.replace('T', '\n'), ['malformed_json', '/data/ts/0']],
  'a NUL': [`${valid}\0`, ['malformed_json']],
  'a byte that is no UTF-8': [bytes('{"index_col":"', [0xff], '",', rest), ['invalid_utf8']],
  'an overlong slash': [bytes('{"index_col":"', [0xc0, 0xaf], '",', rest), ['invalid_utf8']],
  'half a surrogate pair': [bytes('{"index_col":"', [0xed, 0xa0, 0x80], '",', rest), ['invalid_utf8']],
  'a character cut in two': [bytes(valid, [0xe2, 0x82]), ['invalid_utf8']]
}

t.test('a body that is not JSON is a 400 that says where, and repeats nothing of it', t =>
  withService(t, {}, async ({ ledger }) => {
    for (const [what, [body, refusal]] of Object.entries(NOT_JSON)) await refused(t, ledger)(what, body, refusal)
    t.equal((await ledger.send(valid, { right: goldenAnswer(bundle, 0) })).status, 200)
  })
)

const KEY_TWICE: Record<string, [string, string]> = {
  'a field twice': [`${valid.slice(0, -1)},"index_col":"ts"}`, '/index_col'],
  'a column twice': [valid.replace('"down":', '"down":[1],"down":'), '/data/down'],
  'a column twice, once with an escape': [valid.replace('"down":', '"d\\u006fwn":[1],"down":'), '/data/down'],
  'a space before one of two equal keys': [valid.replace('"down":', '"down" :[1],"down":'), '/data/down'],
  'a line break before one of two equal keys': [valid.replace('"down":', '"down"\n:[1],"down":'), '/data/down'],
  'a tab before another key': [valid.replace('"down":', '"down":[1],"down":').replace('"up":', '"up"\t:'), '/data/down']
}

t.test('a key that stands twice is refused, however it is written: one of its values would be dropped', t =>
  withService(t, {}, async ({ ledger }) => {
    for (const [what, [body, path]] of Object.entries(KEY_TWICE)) {
      await refused(t, ledger)(what, body, ['duplicate_key', path])
    }
    const spaced = JSON.stringify(bodyOf(bundle, 0), null, 2).replaceAll('":', '" :')
    t.equal((await ledger.send(spaced, { right: goldenAnswer(bundle, 0) })).status, 200, 'spaces alone are legal')
  })
)

t.test('__proto__, constructor and their disguises are unknown names, and change nothing', t =>
  withService(t, {}, async ({ ledger }) => {
    for (const name of ['__proto__', '\\u005f_proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const plain = name.replace('\\u005f', '_')
      const field = `${valid.slice(0, -1)},"${name}":{"x":1,"prototype":{"x":1}}}`
      const entry = await ledger.send(field)
      t.match(entry, { status: 400, json: { error: { code: 'unknown_field', path: `/${plain}` } } }, name)
      const column = await ledger.send(valid.replace('"down":', `"${name}":[1],"down":`))
      t.match(column, { status: 400, json: { error: { code: 'unknown_column', path: `/data/${plain}` } } }, name)
    }
    const index = await ledger.send(valid.replace('"index_col":"ts"', '"index_col":"__proto__"'))
    t.match(index, { status: 400, json: { error: { code: 'missing_index' } } })
    t.equal((await ledger.send(valid, { right: goldenAnswer(bundle, 0) })).status, 200)
  })
)

t.test('a body read in this process leaves the objects of this process alone', t => {
  for (const name of ['__proto__', '\\u005f_proto__']) {
    const body = parseJsonBody(Buffer.from(`{"${name}":{"x":1},"constructor":{"prototype":{"x":1}}}`))
    t.same(Object.keys(body as object), ['__proto__', 'constructor'], 'an ordinary key of its own')
    t.equal(Object.getPrototypeOf(body), Object.prototype)
    t.notOk('x' in {}, 'nothing is inherited')
  }
  t.end()
})
