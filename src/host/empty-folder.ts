import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A folder in which there is nothing, and into which nobody but this user can put anything: a model is loaded from there, so that a
 * relative path in it finds nothing. It is one for all processes of the user, so that a process that is killed leaves none behind;
 * where somebody else has made it, or put something into it, there is a new one. Throws where none can be made.
 */
export function emptyFolder(): string {
  // Not from the list of users: in a container there may be none of this number.
  const uid = process.geteuid!()
  const folder = join(tmpdir(), `gru-inference-empty-${uid}`)
  try {
    mkdirSync(folder, { mode: 0o500 })
  } catch {
    // It is there, or cannot be made: the next look tells.
  }
  if (isOurs(folder, uid)) return folder
  const other = mkdtempSync(join(tmpdir(), 'gru-inference-empty-'))
  chmodSync(other, 0o500)
  return other
}

function isOurs(folder: string, uid: number): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false })
  const closed = found?.isDirectory() && found.uid === uid && (found.mode & 0o222) === 0
  return closed === true && readdirSync(folder).length === 0
}
