import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)

/** A small disk in a mount namespace of the command's own, which is gone with it. */
const ON_SMALL_DISK = 'mount -t tmpfs -o size=256k results "$0" && exec "$@"'

t.test('a disk that is full is said, and every cell that was kept is whole', async t => {
  const folder = t.testdir()
  const child = [process.execPath, '--import', 'tsx', 'test/support/until-full.ts', `${folder}/run`]
  const { stdout } = await run('unshare', ['--mount', 'sh', '-c', ON_SMALL_DISK, folder, ...child])
  const { kept, ...ended } = JSON.parse(stdout) as { kept: number; read: number; isTorn: boolean }
  t.match(ended, { code: 'disk', message: /: the disk is full; what was there is kept$/ })
  t.ok(kept > 0)
  t.match(ended, { read: kept, isTorn: false })
})
