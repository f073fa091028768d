import { readFileSync } from 'node:fs'
import t from 'tap'
import { goldenBodies, payloadBodies, readGolden } from '../../src/bench/load/bodies.js'
import { loadCases } from '../../src/bench/load/cases.js'
import { isExpected } from '../../src/bench/load/expected.js'
import { moodyServer } from '../support/moody-server.js'
import { startService } from '../support/service.js'

const expectation = { version: '7', rows: [{ up: [100, 0.5], down: [-2, 0] }] } as const
const answer = (row: unknown, version: unknown = '7') =>
  JSON.stringify({ model_version: version, predictions: [row, { up: 1 }] })

t.test(
  'an answer is right when every expected value is within what is allowed, and by the version that must answer',
  t => {
    t.ok(isExpected(answer({ ts: 'x', up: 100.5, down: -2 }), expectation))
    t.ok(isExpected(answer({ up: 99.5, down: -2, more: 1 }), expectation))
    const wrong = {
      'too far off': answer({ up: 100.51, down: -2 }),
      'another version': answer({ up: 100, down: -2 }, '8'),
      'no version': JSON.stringify({ predictions: [{ up: 100, down: -2 }] }),
      'a feature is missing': answer({ up: 100 }),
      'a number as text': answer({ up: '100', down: -2 }),
      'null for a row': answer(null),
      'no row': JSON.stringify({ model_version: '7', predictions: [] }),
      'no predictions': '{"model_version":"7"}',
      null: 'null',
      'no JSON': '{"model_version":"7"'
    }
    for (const [what, text] of Object.entries(wrong)) t.notOk(isExpected(text, expectation), what)
    t.end()
  }
)

t.test(
  'a payload is one body in a .json file, or one a line in a .jsonl file; steps are added when asked for',
  async t => {
    const folder = t.testdir({
      'one.json': '{\n "data": {}\n}',
      'many.jsonl': '{"a":1}\n\n{"b":2,"inference_length":3}\n',
      'bad.jsonl': '{"a":1}\n[2]\n',
      'broken.jsonl': '{"a":1}\n\n{"a"\n',
      'empty.jsonl': '\n'
    })
    t.same(await payloadBodies(`${folder}/one.json`, 1), ['{"data":{}}'])
    t.same(await payloadBodies(`${folder}/many.jsonl`, 1), ['{"a":1}', '{"b":2,"inference_length":3}'])
    t.same(await payloadBodies(`${folder}/many.jsonl`, 4), [
      '{"a":1,"inference_length":4}',
      '{"b":2,"inference_length":4}'
    ])
    const refused = (file: string, message: RegExp) =>
      t.rejects(payloadBodies(`${folder}/${file}`, 1), { code: 'bad_flag', message })
    await refused('bad.jsonl', /bad\.jsonl:2 is no JSON object$/)
    await refused('broken.jsonl', /broken\.jsonl:3 is no JSON: /)
    await refused('empty.jsonl', /empty\.jsonl holds no body$/)
    await refused('none.json', /^cannot read .*none\.json: /)
  }
)

t.test(
  'what is expected of the golden windows is what the service answers; of another model or more steps, what it answers alone',
  async t => {
    const service = await startService({ env: { WORKERS: '1' } })
    t.teardown(() => service.stop())
    const manifest = JSON.parse(readFileSync('models/gru/model.json', 'utf8')) as { sha256: string; version: string }
    const post = async (body: string): Promise<string> => {
      const headers = { 'content-type': 'application/json' }
      return (await fetch(`${service.url}/predict`, { method: 'POST', headers, body })).text()
    }
    const served = { digest: manifest.sha256, version: manifest.version }
    const trainer = await loadCases({ url: 'http://127.0.0.1:1', steps: 1, served })
    t.equal(new Set(trainer.map(one => one.body)).size, 64, '64 different windows, without asking anybody')
    const alone = await loadCases({ url: service.url, steps: 1, served: { ...served, digest: 'another' } })
    const long = await loadCases({ url: service.url, steps: 3, served })
    t.ok(long.every(one => one.rows.length === 3))
    for (const cases of [trainer, alone, long]) {
      const texts = await Promise.all(cases.map(one => post(one.body)))
      t.same(
        texts.map((text, index) => isExpected(text, cases[index]!)).filter(right => !right),
        []
      )
      const shifted = texts.filter((text, index) => isExpected(text, cases[(index + 1) % 64]!))
      t.same(shifted, [], "no answer passes for its neighbour's")
    }
    t.notOk(isExpected(await post(trainer[0]!.body), { ...trainer[0]!, version: 'other' }))
  }
)

t.test('a payload that the service refuses, or a service that is not there, ends it before the load', async t => {
  const server = await moodyServer(({ answer }) => answer(400, '{"error":"no"}'))
  t.teardown(server.close)
  const payload = `${t.testdir({ 'two.jsonl': '{"a":1}\n{"a":2}' })}/two.jsonl`
  const options = { payload, steps: 1, served: { digest: '', version: '1' } }
  const url = new URL(server.url).origin
  await t.rejects(loadCases({ url, ...options }), {
    code: 'bad_flag',
    message: `${url}/predict refuses body 1 of 2 with 400: {"error":"no"}`
  })
  await t.rejects(loadCases({ url: 'http://127.0.0.1:1', ...options }), { code: 'target_down' })
})

t.test('the golden bodies are the windows of the bundle, column by column', async t => {
  const bundle = await readGolden()
  const [body] = goldenBodies(bundle, 2).map(text => JSON.parse(text) as { data: Record<string, unknown[]> })
  t.same(body!.data.ts, bundle.golden.windows[0]!.time)
  t.equal(body!.data.rb_up_var![9], bundle.golden.windows[0]!.window[9]![10], 'the last column, the last row')
  t.match(body, { index_col: 'ts', inference_length: 2 })
})
