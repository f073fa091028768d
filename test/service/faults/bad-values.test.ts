import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { goldenAnswer } from '../../support/golden.js'
import { CANARY, refused } from '../../support/refusal.js'
import { withService } from '../../support/shared-service.js'

const bundle = gru()

/** The body of a golden window with JSON text in the place of one value; numbers that JSON.stringify cannot write too. */
function withValue(column: string, row: number, text: string): string {
  const body = bodyOf(bundle, 0)
  body.data[column]![row] = CANARY
  return JSON.stringify(body).replace(JSON.stringify(CANARY), text)
}

/** By what they are: values that are no number of a row. */
const VALUES: Record<string, string> = {
  '1e999': 'non_finite',
  '-1e999': 'non_finite',
  '1e39': 'non_finite',
  '3.5e38': 'non_finite',
  ['9'.repeat(400)]: 'non_finite',
  null: 'not_a_number',
  '"5"': 'not_a_number',
  '""': 'not_a_number',
  '"NaN"': 'not_a_number',
  [`"${CANARY}"`]: 'not_a_number',
  true: 'not_a_number',
  false: 'not_a_number',
  '[]': 'not_a_number',
  '[5]': 'not_a_number',
  '{}': 'not_a_number',
  [`{"${CANARY}":1}`]: 'not_a_number',
  '-1': 'out_of_range',
  '-1e-30': 'out_of_range'
}

t.test('a value that is no finite number in range is a 400 that points to it, and the model is not run', t =>
  withService(t, {}, async ({ ledger }) => {
    for (const [text, code] of Object.entries(VALUES)) {
      await refused(t, ledger)(text.slice(0, 20), withValue('up', 3, text), [code, '/data/up/3'])
    }
  })
)

t.test('the bounds of the manifest hold: at one a value is served, beyond it is refused', t =>
  withService(t, {}, async ({ ledger }) => {
    for (const { name, minimum, maximum } of bundle.manifest.features) {
      t.equal((await ledger.send(withValue(name, 9, String(minimum)))).status, 200, `${name} ${minimum}`)
      await refused(t, ledger)(name, withValue(name, 0, String(minimum - 0.001)), ['out_of_range', `/data/${name}/0`])
      if (maximum === undefined) continue
      t.equal((await ledger.send(withValue(name, 9, String(maximum)))).status, 200, `${name} ${maximum}`)
      await refused(t, ledger)(name, withValue(name, 9, String(maximum + 0.001)), ['out_of_range', `/data/${name}/9`])
    }
  })
)

t.test('what a number is written like does not matter', t =>
  withService(t, {}, async ({ ledger }) => {
    const down = bundle.golden.windows[0]!.window[0]![0]!
    for (const text of [`${down}.0`, `${down / 1e8}e8`, `${down}e0`, `${down * 10}E-1`, `${down}.${'0'.repeat(300)}`]) {
      const { status } = await ledger.send(withValue('down', 0, text), { right: goldenAnswer(bundle, 0) })
      t.equal(status, 200, text.slice(0, 20))
    }
    t.equal((await ledger.send(withValue('up', 9, '-0'))).status, 200, 'minus zero is zero')
  })
)

const STEPS: Record<string, string> = {
  '0': 'out_of_range',
  '-1': 'out_of_range',
  '31': 'out_of_range',
  '1e9': 'out_of_range',
  '1.5': 'wrong_type',
  '1e999': 'wrong_type',
  '"1"': 'wrong_type',
  null: 'wrong_type',
  true: 'wrong_type',
  '[1]': 'wrong_type'
}

t.test('a number of steps that is not from 1 to MAX_STEPS is a 400', t =>
  withService(t, {}, async ({ ledger }) => {
    const valid = JSON.stringify(bodyOf(bundle, 0))
    for (const [text, code] of Object.entries(STEPS)) {
      const body = valid.replace('{', `{"inference_length":${text},`)
      await refused(t, ledger)(`inference_length ${text}`, body, [code, '/inference_length'])
    }
  })
)
