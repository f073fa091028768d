import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { goldenAnswer } from '../../support/golden.js'
import { exchange, rawRequest, statusesIn } from '../../support/raw-socket.js'
import { withService } from '../../support/shared-service.js'

const bundle = gru()
const valid = JSON.stringify(bodyOf(bundle, 0))
// Legal JSON that only full validation refuses: a type that slips past the parser or the schema would answer 200.
const invalid = valid.replace('{', '{"inference_length":"1",')

/** Types as frameworks have misread them (CVE-2025-32442, CVE-2026-25223 and kin), with what they are here. */
const TYPES: [string, number][] = [
  ['application/json', 200],
  ['application/json; charset=utf-8', 200],
  ['application/json;charset=UTF-8', 200],
  ['APPLICATION/JSON', 200],
  ['application/json;', 200],
  ['application/json ; charset=utf-8', 200],
  ['text/plain', 415],
  ['text/json', 415],
  ['application/x-www-form-urlencoded', 415],
  ['multipart/form-data; boundary=x', 415],
  ['application/xml', 415],
  ['application/jsonx', 415],
  ['application/json-patch+json', 415],
  ['application/vnd.api+json', 415],
  ['x/application/json', 415],
  ['*/*', 415],
  ['json', 415]
]
/** Types whose reading is a matter of taste: served in full or refused, nothing in between. */
const DOUBTFUL = [
  'application/json\tx',
  'application/json\t',
  'application/json x',
  ' application/json',
  '\tapplication/json',
  'application/json,text/plain',
  'application/json a; b',
  'application/ json',
  'application/json;;',
  'application/json; charset="',
  '""',
  ';'
]

t.test('only JSON is taken; another type, or none, is a 415', t =>
  withService(t, {}, async ({ ledger }) => {
    const right = goldenAnswer(bundle, 0)
    for (const [type, status] of TYPES) {
      const entry = await ledger.send(valid, { headers: { 'content-type': type }, right })
      t.equal(entry.status, status, type)
      if (status === 415) t.equal(entry.json?.error?.code, 'unsupported_media_type', type)
    }
  })
)

t.test('no type, however odd, gets a body past validation', t =>
  withService(t, {}, async ({ service, ledger }) => {
    for (const type of [...TYPES.map(([type]) => type), ...DOUBTFUL, '']) {
      for (const body of [valid, invalid]) {
        const request = rawRequest(body, { 'content-type': type, connection: 'close' })
        const text = await exchange(service.port, type === '' ? request.replace('content-type: \r\n', '') : request)
        const [status] = statusesIn(text)
        const allowed = body === valid ? [200, 400, 415] : [400, 415]
        t.ok(allowed.includes(status!), `${JSON.stringify(type)}: ${status}`)
        ledger.book(status!, text)
      }
    }
  })
)
