/**
 * Takes the folder that is named, says `held` or why not, and stays. With `--child` it has started a program first that lives on
 * when it is killed, and says `child PID`.
 */
import { spawn } from 'node:child_process'
import { FolderLock } from '../../src/host/folder-lock.js'

const [folder, child] = process.argv.slice(2) as [string, string?]
try {
  await FolderLock.take(folder)
  if (child) console.log(`child ${spawn('sleep', ['600'], { stdio: 'ignore', detached: true }).pid}`)
  console.log('held')
  setInterval(() => undefined, 60_000)
} catch (error) {
  console.log((error as Error).message)
}
