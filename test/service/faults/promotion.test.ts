import { createHash } from 'node:crypto'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { Ledger } from '../../support/ledger.js'
import { flagged, greedy, grown, initializer } from '../../support/onnx-bytes.js'
import { startService } from '../../support/service.js'
import { promotedAs, underLoad } from '../../support/under-load.js'

const ADMIN_TOKEN = 'token-0123456789abcdef'

interface Promoting {
  /** writes another bundle where the service looks: a version, a model, a change of the golden answers */
  put(version: string, model?: Uint8Array, forecast?: number): void
  admin(route: 'reload' | 'rollback'): ReturnType<Ledger['send']>
  ledger: Ledger
}

/** Promotes under load at a service of its own, whose callers are answered by these versions. */
async function promoting(t: Test, live: string[], work: (promoting: Promoting) => Promise<void>): Promise<void> {
  const MODEL_DIR = `${t.testdir()}/bundle`
  cpSync('models/gru', MODEL_DIR, { recursive: true })
  const service = await startService({ env: { MODEL_DIR, ADMIN_TOKEN, SANDBOX_TIMEOUT_MS: '5000' } })
  t.teardown(() => service.stop())
  const ledger = new Ledger(service.url)
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
  const admin: Promoting['admin'] = route => ledger.send('{}', { path: `/admin/${route}`, headers })
  const versions = promotedAs(...live)
  await underLoad(t, service, { versions }, () => work({ put: putter(MODEL_DIR), admin, ledger }))
  ledger.close()
}

function putter(folder: string): Promoting['put'] {
  const manifest = JSON.parse(readFileSync(`${folder}/model.json`, 'utf8')) as object
  const golden = readFileSync(`${folder}/golden.json`, 'utf8')
  const original = readFileSync(`${folder}/model.onnx`)
  return (version, model = original, forecast) => {
    const answers = JSON.parse(golden) as { windows: { forecast: number[] }[] }
    if (forecast !== undefined) answers.windows[5]!.forecast[0] = forecast
    const sha256 = createHash('sha256').update(model).digest('hex')
    writeFileSync(`${folder}/model.json`, JSON.stringify({ ...manifest, version, sha256 }))
    writeFileSync(`${folder}/golden.json`, JSON.stringify(answers))
    writeFileSync(`${folder}/model.onnx`, model)
  }
}

t.test('a rollback puts the version before back, once, and holds off the one that it left', t =>
  promoting(t, ['1', '2'], async ({ put, admin, ledger }) => {
    t.match(await admin('rollback'), { status: 409, json: { error: { code: 'no_previous_model' } } })
    put('2')
    t.match((await admin('reload')).json, {
      model: { version: '2' },
      promotion: { previous_version: '1', stale: false }
    })
    const back = { model: { version: '1' }, promotion: { held_off: '2', promoted_version: '2', stale: true } }
    t.match((await admin('rollback')).json, back)
    t.match((await ledger.get('/model')).json, back)
    t.match(await admin('rollback'), { status: 409, json: { error: { code: 'no_previous_model' } } })
    t.match((await admin('reload')).json, { model: { version: '2' }, promotion: { held_off: null, stale: false } })
  })
)

t.test('a bundle that would harm the service is refused with its reason while callers notice nothing', t =>
  promoting(t, ['1'], async ({ put, admin, ledger }) => {
    const model = readFileSync('models/gru/model.onnx')
    const refused = async (reason: string) => {
      t.match(await admin('reload'), { status: 422, json: { error: { message: new RegExp(`^${reason}: `) } } })
      t.match((await ledger.get('/model')).json, { ready: true, last_promotion: { outcome: 'refused', reason } })
    }
    put('2', greedy(model, 8))
    await refused('sandbox_oom')
    put('3', grown(model, initializer(flagged())))
    await refused('external_data')
    put('4', model, 1e6)
    await refused('golden_mismatch')
  })
)
