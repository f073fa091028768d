import { execFileSync } from 'node:child_process'
import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { goldenAnswer } from '../../support/golden.js'
import { type Refusal, refused } from '../../support/refusal.js'
import { installedFolder } from '../../support/servers/installed.js'
import { withService } from '../../support/shared-service.js'

const bundle = gru()
const python = `${installedFolder('mlflow')}/python/bin/python`

/** A golden window as pandas itself writes it. */
function pandasForms(): Record<string, string> {
  const input = JSON.stringify(bodyOf(bundle, 0))
  return JSON.parse(execFileSync(python, ['test/support/pandas_forms.py'], { input, encoding: 'utf8' })) as never
}

const SEND = 'send {"data": {"ts": [...], ...}} with one array per column (from pandas: '
/** What each form is refused as, and what is said of it. */
const FORMS: Record<string, [Refusal, string]> = {
  'to_json columns': [['missing_field'], 'the body has one object per column, with row numbers as keys: '],
  'to_json iso': [['missing_field'], 'the body has one object per column, with row numbers as keys: '],
  'to_json records': [['wrong_type'], 'the body is a list of rows: '],
  'to_json values': [['wrong_type'], 'the body is a list of rows: '],
  'to_json split': [['unknown_field', '/columns'], 'data is a list of rows: '],
  'to_json table': [['unknown_field', '/schema'], 'data is a list of rows: '],
  'to_json index': [['missing_field'], 'the body has one object per row: '],
  'data columns': [['wrong_type', '/data/ts'], 'a column is an object with row numbers as keys: '],
  'data records': [['wrong_type', '/data'], 'data is a list of rows: '],
  'data index': [['wrong_type', '/data/0'], 'data has one object per row: '],
  'data as text': [['wrong_type', '/data'], 'data is a string: data was encoded twice: '],
  'encoded twice': [['wrong_type'], 'the body is JSON inside a JSON string: the body was encoded twice: '],
  'without data': [['missing_field'], 'the columns are not in data: '],
  lines: [['malformed_json'], '; the body has one JSON value after another: '],
  csv: [['malformed_json'], '; the body looks like CSV: '],
  'csv with semicolons': [['malformed_json'], '; the body looks like CSV: '],
  'csv with tabs': [['malformed_json'], '; the body looks like CSV: '],
  'csv without a head': [['malformed_json'], '; the body looks like CSV: ']
}

t.test('a table in another of its usual forms is refused with the way to send it', t =>
  withService(t, {}, async ({ ledger }) => {
    const forms = pandasForms()
    for (const [form, [refusal, words]] of Object.entries(FORMS)) {
      await refused(t, ledger)(form, forms[form], refusal)
      const { message } = (await ledger.send(forms[form])).json!.error!
      t.ok(message.includes(words + SEND), `${form}: ${message}`)
    }
    const csv = await ledger.send(forms.csv!, { headers: { 'content-type': 'text/csv' } })
    t.match(csv, { status: 415, json: { error: { code: 'unsupported_media_type' } } })
    t.ok(csv.json!.error!.message.includes(SEND))
  })
)

t.test('the way that is shown for pandas is right', t =>
  withService(t, {}, async ({ ledger }) => {
    const { right } = pandasForms()
    t.equal((await ledger.send(right, { right: goldenAnswer(bundle, 0) })).status, 200)
  })
)

t.test('what Python writes that is no JSON is named', t =>
  withService(t, {}, async ({ ledger }) => {
    const { str, 'with NaN': nan, epoch } = pandasForms()
    const said = async (body: unknown) => (await ledger.send(body)).json?.error
    t.match(await said(str), { code: 'malformed_json', message: /double quotes, not single quotes .*json\.dumps/ })
    t.match(await said(nan), {
      code: 'malformed_json',
      path: '/data/down/0',
      message: /JSON has no NaN and no Infinity/
    })
    t.match(await said(epoch), {
      code: 'wrong_type',
      path: '/data/ts/0',
      message: /send this epoch time in .*seconds as the text/
    })
    t.match(await said('{"data":{"ts":[-Infinity]}}'), { path: '/data/ts/0', message: /no Infinity/ })
    t.notMatch((await said('{"data":{"ts":[1 2]}}'))?.message, /NaN|CSV|quotes/)
    t.notMatch((await said('{'))?.message, /NaN|CSV|quotes|value after/)
  })
)

t.test('all columns that are missing are named at once, and the steps that may be asked for', t =>
  withService(t, { env: { MAX_STEPS: '7' } }, async ({ ledger }) => {
    const { ts, down, up } = bodyOf(bundle, 0).data
    const names = bundle.manifest.features.map(({ name }) => name).filter(name => name !== 'down' && name !== 'up')
    const missing = await ledger.send({ data: { ts, down, up } })
    t.equal(missing.json!.error!.message, `data has no column ${names.join(', ')}`)
    for (const [steps, code] of [
      [8, 'out_of_range'],
      [0, 'out_of_range'],
      [1.5, 'wrong_type'],
      ['2', 'wrong_type']
    ] as const) {
      t.match((await ledger.send({ ...bodyOf(bundle, 0), inference_length: steps })).json!.error, {
        code,
        message: 'expected a whole number from 1 to 7',
        path: '/inference_length'
      })
    }
  })
)

t.test('of the body as a whole there is no pointer; of a field in it there is', t =>
  withService(t, {}, async ({ ledger }) => {
    for (const body of ['[]', '5', 'null', '"x"', '{}', '{"index_col":"ts"}', '{', '']) {
      t.notOk('path' in (await ledger.send(body)).json!.error!, body)
    }
    const { error } = (await ledger.send({ ...bodyOf(bundle, 0), steps: 3 })).json!
    t.match(error, {
      code: 'unknown_field',
      path: '/steps',
      message: 'the only fields of a request are data, index_col and inference_length'
    })
    t.match((await ledger.get('/model/example?index=x')).json!.error, {
      code: 'out_of_range',
      path: '/index',
      message: 'expected a whole number with 1 to 6 digits'
    })
  })
)
