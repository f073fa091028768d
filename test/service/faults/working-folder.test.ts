import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import t from 'tap'
import { emptyFolder } from '../../../src/host/empty-folder.js'
import { bodyOf, gru } from '../../support/bundles.js'
import { buildFaulty } from '../../support/faulty-build.js'
import { goldenAnswer } from '../../support/golden.js'
import { Ledger } from '../../support/ledger.js'
import { spawnService, startService } from '../../support/service.js'

t.test('a model that names a file of the folder in which the service was started finds nothing', async t => {
  const entry = await buildFaulty(`${t.testdir()}/build`, 'test/support/outside-worker.ts')
  const service = spawnService({ entry })
  t.equal(await service.exit, 1)
  const lines = service.lines.join('\n')
  t.match(lines, /the worker sees \[\]/, 'although package.json lies where it was started')
  t.match(lines, /MODEL_DIR has a model that is refused: load_failed: .*package\.json/)
})

t.test('folders in settings are those of the start, and answers are as ever', async t => {
  for (const MODEL_DIR of ['models/gru', './models/../models/gru']) {
    const service = await startService({ env: { MODEL_DIR } })
    t.teardown(() => service.process.kill('SIGKILL'))
    t.same(readdirSync(`/proc/${service.process.pid}/cwd`), [], 'it runs in an empty folder')
    const ledger = new Ledger(service.url)
    const { status } = await ledger.send(bodyOf(gru(), 3), { right: goldenAnswer(gru(), 3) })
    t.same([status, ledger.wrong], [200, []])
    ledger.close()
    t.equal(await service.stop(), 0)
  }
})

t.test('without any place for an empty folder the service starts, and says so', async t => {
  const service = await startService({ env: { TMPDIR: '/proc/none' } })
  t.teardown(() => service.process.kill('SIGKILL'))
  t.match(await service.line('no empty folder'), /"level":40.*ENOENT.*TMPDIR/)
  t.equal((await fetch(`${service.url}/readyz`)).status, 200)
  t.equal(await service.stop(), 0)
})

t.test('the folder is one for all, unless somebody else has made it or put something into it', t => {
  const { TMPDIR } = process.env
  const own = (folder: string) => `${folder}/gru-inference-empty-${process.geteuid!()}`
  t.teardown(() => (TMPDIR === undefined ? delete process.env.TMPDIR : (process.env.TMPDIR = TMPDIR)))
  const inside = t.testdir({ fresh: {}, full: {}, link: {}, open: {}, elsewhere: {} })
  process.env.TMPDIR = `${inside}/fresh`
  t.equal(emptyFolder(), own(tmpdir()))
  t.equal(emptyFolder(), own(tmpdir()), 'a second time')
  const bad: Record<string, () => void> = {
    full: () => {
      mkdirSync(own(tmpdir()))
      writeFileSync(`${own(tmpdir())}/weights.bin`, 'x')
    },
    link: () => symlinkSync(`${inside}/elsewhere`, own(tmpdir())),
    open: () => mkdirSync(own(tmpdir()), { mode: 0o777 })
  }
  for (const [what, make] of Object.entries(bad)) {
    process.env.TMPDIR = `${inside}/${what}`
    make()
    const folder = emptyFolder()
    t.not(folder, own(tmpdir()), what)
    t.same(readdirSync(folder), [])
  }
  t.end()
})
