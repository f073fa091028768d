// Prints the closing line that a CI can read, from the last summary of a TAP stream: `N passed, N failed`.
import { readFileSync } from 'node:fs'

const stream = readFileSync(process.argv[2], 'utf8')
const summary = [...stream.matchAll(/^# \{ (.+) \}$/gm)].at(-1)?.[1] ?? ''
const count = name => Number(new RegExp(`\\b${name}: (\\d+)`).exec(summary)?.[1] ?? 0)
process.stdout.write(`${count('pass')} passed, ${count('fail')} failed\n`)
if (count('total') === 0) process.exitCode = 1
