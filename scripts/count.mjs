// Prints what ends a run of the tests: each assertion that failed, by its file and what it is in, and the closing line that a CI
// can read, from the last summary of a TAP stream: `N passed, N failed`.
import { readFileSync } from 'node:fs'

const stream = readFileSync(process.argv[2], 'utf8')
const path = []
for (const line of stream.split('\n')) {
  const [, indent, kind, what] = /^( *)(# Subtest: |not ok \d+ - )(.*?)( # time=.*)?$/.exec(line) ?? []
  if (kind === undefined) continue
  const depth = indent.length / 4
  const within = path.slice(0, depth)
  if (kind.startsWith('#')) path.splice(depth, Infinity, what)
  // What holds a failed assertion fails as well, and says nothing new.
  else if (path.length === depth || depth === 0) process.stdout.write(`FAILED ${[...within, what].join(' > ')}\n`)
}
const summary = [...stream.matchAll(/^# \{ (.+) \}$/gm)].at(-1)?.[1] ?? ''
const count = name => Number(new RegExp(`\\b${name}: (\\d+)`).exec(summary)?.[1] ?? 0)
process.stdout.write(`${count('pass')} passed, ${count('fail')} failed\n`)
if (count('total') === 0) process.exitCode = 1
