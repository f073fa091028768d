// Prints what ends a run of the tests: each assertion that failed, by its file and what it is in, with what differed, and the
// closing line that a CI can read, from the last summary of a TAP stream: `N passed, N failed`.
import { readFileSync } from 'node:fs'

const MOST_LINES = 12
const stream = readFileSync(process.argv[2], 'utf8')
/** what the line is in: the file and its tests */
const path = []
/** lines of a difference that may still be printed */
let left = 0
for (const line of stream.split('\n')) {
  if (left > 0 && /^ +[+-](?![+-]{2}) /.test(line)) {
    process.stdout.write(`${line.slice(0, 300)}\n`)
    left -= 1
  }
  const [, indent, kind, what] = /^( *)(# Subtest: |(?:not )?ok \d+ - )(.*?)( # time=.*)?$/.exec(line) ?? []
  if (kind === undefined) continue
  const depth = indent.length / 4
  const isEnd = path.length > depth
  path.length = depth
  if (kind.startsWith('#')) path.push(what)
  left = kind.startsWith('not') && !isEnd ? MOST_LINES : 0
  // What holds a failed assertion fails as well, and says nothing new; a file may fail without one.
  if (kind.startsWith('not') && (!isEnd || depth === 0)) process.stdout.write(`FAILED ${[...path, what].join(' > ')}\n`)
}
const summary = [...stream.matchAll(/^# \{ (.+) \}$/gm)].at(-1)?.[1] ?? ''
const count = name => Number(new RegExp(`\\b${name}: (\\d+)`).exec(summary)?.[1] ?? 0)
process.stdout.write(`${count('pass')} passed, ${count('fail')} failed\n`)
if (count('total') === 0) process.exitCode = 1
