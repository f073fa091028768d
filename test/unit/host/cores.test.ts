import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { cpusIn, usableCores } from '../../../src/host/cores.js'

const run = promisify(execFile)

const files = (cgroups: string, limits: Record<string, string>) => ({
  affinity: 8,
  cgroups,
  read: (path: string) => limits[path]
})

t.test('without a quota all cores are usable that the process may run on', t => {
  t.equal(usableCores(files('', {})), 8)
  t.equal(usableCores(files('0::/\n', { '//cpu.max': 'max 100000\n' })), 8)
  t.end()
})

t.test('a quota of version 2 counts wherever above the process it stands, and the smallest wins', t => {
  const limits = { '/pods/one/cpu.max': '150000 100000\n', '/pods/cpu.max': '50000 100000\n' }
  t.equal(usableCores(files('0::/pods/one\n', { '/pods/one/cpu.max': limits['/pods/one/cpu.max'] })), 1.5)
  t.equal(usableCores(files('0::/pods/one\n', limits)), 0.5)
  t.equal(usableCores(files('0::/pods/one\n', { '/pods/one/cpu.max': '1600000 100000' })), 8)
  t.end()
})

t.test('a quota of version 1 counts, -1 is none', t => {
  const quota = (path: string, us: number) => ({
    [`${path}/cpu.cfs_quota_us`]: String(us),
    [`${path}/cpu.cfs_period_us`]: '100000'
  })
  t.equal(usableCores(files('4:cpu,cpuacct:/docker/x\n1:memory:/y\n', quota('/cpu/docker/x', 250_000))), 2.5)
  t.equal(
    usableCores(files('4:cpu,cpuacct:/docker/x\n', quota('/cpu', 200_000))),
    2,
    'the group is mounted at the root'
  )
  t.equal(usableCores(files('4:cpu,cpuacct:/docker/x\n', quota('/cpu/docker/x', -1))), 8)
  t.end()
})

t.test('a list of CPUs as the kernel writes it', t => {
  t.same(cpusIn('0-2,5,7-8'), [0, 1, 2, 5, 7, 8])
  t.same(cpusIn('3'), [3])
  t.end()
})

t.test('taskset is heard', async t => {
  const script = "import('./src/host/cores.ts').then(({ usableCores }) => console.log(usableCores()))"
  const { stdout } = await run('taskset', ['-c', '0', process.execPath, '--import', 'tsx', '-e', script])
  t.equal(Number(stdout), 1)
})
