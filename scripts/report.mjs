// Reads the TAP stream of a run of the tests and prints what a person needs of it: a line a file with its time, each failed assertion
// whole, with the tests that it is in. The stream itself goes to the folder that is named, as out.tap, and so does the count, as count.txt.
import { createWriteStream, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const [, , folder] = process.argv
const kept = createWriteStream(join(folder, 'out.tap'))
/** the titles of the tests that the line is in */
const path = []
/** how far the lines of a failure that is being printed are indented; none where none is */
let failure
let summary = ''
/** an assertion of the file has failed and been printed */
let isExplained = false

const print = line => process.stdout.write(`${line}\n`)

for await (const line of createInterface({ input: process.stdin })) {
  kept.write(`${line}\n`)
  const counts = /^# \{ (.+) \}$/.exec(line)
  if (counts) summary = counts[1]
  const [, indent, kind, what, , ms] =
    /^( *)(# Subtest: |(?:not )?ok \d+ - )(.*?)( # time=([\d.]+)ms.*)?$/.exec(line) ?? []
  if (kind === undefined) {
    if (failure !== undefined && line.startsWith(' '.repeat(failure + 1))) print(line.slice(failure))
    continue
  }
  const depth = indent.length / 4
  const isEnd = path.length > depth
  path.length = depth
  failure = undefined
  if (kind.startsWith('#')) {
    path.push(what)
    continue
  }
  const isFailed = kind.startsWith('not')
  if (depth === 0) {
    print(`${isFailed ? 'FAILED' : 'passed'} ${(Number(ms ?? 0) / 1000).toFixed(1).padStart(6)} s  ${what}`)
    // A file may fail without an assertion: it ran out of time, or broke.
    if (isFailed && !isExplained) failure = 0
    isExplained = false
  } else if (isFailed && !isEnd) {
    // What holds a failed assertion fails as well, and says nothing new.
    print(`not ok: ${[...path, what].join(' > ')}`)
    failure = indent.length
    isExplained = true
  }
}
const count = name => Number(new RegExp(`\\b${name}: (\\d+)`).exec(summary)?.[1] ?? 0)
writeFileSync(join(folder, 'count.txt'), `${count('pass')} passed, ${count('fail')} failed\n`)
if (count('total') === 0 || count('fail') > 0) process.exitCode = 1
