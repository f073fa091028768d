import { spawn } from 'node:child_process'
import { chmodSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter } from 'node:path'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { FolderLock } from '../../src/host/folder-lock.js'
import { isAlive } from '../support/bench-process.js'

const IN_USE = 'is in use by another process'

interface Holder {
  /** what it said: `held`, or why it has not got the folder */
  answer: string
  child: number
  kill(signal: NodeJS.Signals): void
  ended: Promise<unknown>
}

/** Another process that wants the folder. */
async function holder(
  t: Test,
  folder: string,
  { path = process.env.PATH, args = [] as string[] } = {}
): Promise<Holder> {
  const command = ['--import', 'tsx', 'test/support/folder-holder.ts', folder, ...args]
  const process_ = spawn(process.execPath, command, {
    env: { PATH: path },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const ended = once(process_, 'exit')
  t.teardown(async () => {
    process_.kill('SIGKILL')
    await ended
  })
  let child = 0
  let answer = ''
  for await (const line of createInterface({ input: process_.stdout })) {
    if (line.startsWith('child ')) child = Number(line.slice('child '.length))
    else answer = line
    if (answer !== '') break
  }
  if (child > 0) t.teardown(() => process.kill(child, 'SIGKILL'))
  return { answer, child, kill: signal => process_.kill(signal), ended }
}

const refusedAs = (reason: string) => ({ name: 'FolderNotOurs', reason })

t.test('a folder is of one process, be that frozen, until it ends, however it does', async t => {
  const folder = t.testdir()
  const first = await holder(t, folder)
  t.equal(first.answer, 'held')
  t.equal((await holder(t, folder)).answer, IN_USE)
  first.kill('SIGSTOP')
  await t.rejects(FolderLock.take(folder), refusedAs('in_use'))
  first.kill('SIGKILL')
  await first.ended
  const lock = await FolderLock.take(folder)
  t.equal((await holder(t, folder)).answer, IN_USE, 'this process has it now')
  await lock.release()
  t.equal((await holder(t, folder)).answer, 'held')
})

t.test('a program that a process started does not keep its folder', async t => {
  const folder = t.testdir()
  const first = await holder(t, folder, { args: ['--child'] })
  t.equal(first.answer, 'held')
  first.kill('SIGKILL')
  await first.ended
  t.ok(isAlive(first.child))
  await (await FolderLock.take(folder)).release()
})

t.test('one folder has one owner, whatever it is called', async t => {
  const root = t.testdir({ folder: {}, copy: {} })
  symlinkSync('folder', `${root}/link`)
  const lock = await FolderLock.take(`${root}/link`)
  t.equal((await holder(t, `${root}/folder/../folder`)).answer, IN_USE)
  linkSync(`${root}/folder/.lock`, `${root}/copy/.lock`)
  t.equal(
    (await holder(t, `${root}/copy`)).answer,
    IN_USE,
    'a copy by hard links is taken for the folder: the safe side'
  )
  await lock.release()
})

t.test('an owner knows that its folder is no longer what it took', async t => {
  const root = t.testdir({ folder: {} })
  const folder = `${root}/folder`
  const lock = await FolderLock.take(folder)
  t.equal(await lock.holds(), true)
  rmSync(`${folder}/.lock`)
  t.equal(await lock.holds(), false, 'the lock was removed')
  t.equal((await holder(t, folder)).answer, 'held', 'so another process can have it')
  t.equal(await lock.holds(), false)
  await lock.release()

  mkdirSync(`${root}/second`)
  const second = await FolderLock.take(`${root}/second`)
  renameSync(`${root}/second`, `${root}/away`)
  t.equal(await second.holds(), false, 'it was moved')
  t.equal((await holder(t, `${root}/away`)).answer, IN_USE, 'and is still its own there')
  writeFileSync(`${root}/second`, 'no folder')
  t.equal(await second.holds(), false, 'a file is in its place')
  rmSync(`${root}/second`)
  symlinkSync('away', `${root}/second`)
  t.equal(await second.holds(), true, 'the same by another way')
  await second.release()
})

t.test('a lock that leads out of the folder is not followed', async t => {
  const root = t.testdir({ folder: {} })
  symlinkSync('../elsewhere', `${root}/folder/.lock`)
  await t.rejects(FolderLock.take(`${root}/folder`), { code: 'ELOOP' })
})

t.test('where nobody can lock, nobody has the folder', async t => {
  const root = t.testdir({ folder: {}, programs: {} })
  const answer = async (path: string) => (await holder(t, `${root}/folder`, { path })).answer
  t.equal(await answer('/nowhere'), 'cannot be locked: the program flock (of util-linux) is missing')
  // What util-linux and busybox say of a file system without locks.
  for (const [said, code] of [
    ['flock: 3: No locks available', 71],
    ['flock: 3: Operation not supported', 65],
    ['flock: No locks available', 1]
  ] as const) {
    writeFileSync(`${root}/programs/flock`, `#!/bin/sh\necho '${said}' >&2\nexit ${code}\n`)
    chmodSync(`${root}/programs/flock`, 0o755)
    t.equal(
      await answer(`${root}/programs${delimiter}${process.env.PATH}`),
      `cannot be locked (${said.split(': ').at(-1)})`
    )
  }
  writeFileSync(`${root}/programs/flock`, '#!/bin/sh\nkill -9 $$\n')
  t.equal(
    await answer(`${root}/programs${delimiter}${process.env.PATH}`),
    'cannot be locked (flock ended with SIGKILL)'
  )
})
