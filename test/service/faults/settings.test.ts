import t from 'tap'
import { ConfigError, ConfigSchema, loadConfig } from '../../../src/settings/config.js'

interface Range {
  type: string
  minimum?: number
  maximum?: number
}

const INTEGERS = Object.entries(ConfigSchema.properties as Record<string, Range>).filter(
  ([, { type }]) => type === 'integer'
)
const JUNK = 'junk-5d1e7a'

/** What reading a setting says; undefined if it is taken. */
function complaint(name: string, value: string): string | undefined {
  try {
    // In company that suits the extremes, so that only the setting itself can be at fault.
    loadConfig({ QUEUE_ROWS: '65536', GRACE_MS: '86400000', DRAIN_DELAY_MS: '0', BATCH_CAP: '1', [name]: value })
    return undefined
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message
  }
}

t.test('every number is taken from its minimum to its maximum, and not a step beyond', t => {
  for (const [name, { minimum, maximum }] of INTEGERS) {
    if (minimum === undefined || maximum === undefined) {
      t.fail(`${name} has no bounds`)
      continue
    }
    // DRAIN_DELAY_MS must stay below GRACE_MS, whose own maximum is the same; WORKERS have the host's cores as a bound.
    const most = name === 'DRAIN_DELAY_MS' ? maximum - 1 : name === 'WORKERS' ? 1 : maximum
    t.equal(complaint(name, String(minimum + Number(name === 'GRACE_MS'))), undefined, `${name} at its minimum`)
    t.equal(complaint(name, String(most)), undefined, `${name} at its maximum`)
    for (const beyond of [minimum - 1, maximum + 1]) {
      t.match(complaint(name, String(beyond)), new RegExp(`^${name} must be`), `${name} ${beyond}`)
    }
  }
  t.ok(INTEGERS.length > 10)
  t.end()
})

t.test('junk is refused for every setting but a text, by its name and without its value', t => {
  for (const [name, { type }] of Object.entries(ConfigSchema.properties as Record<string, Range>)) {
    const values = type === 'string' ? [] : ['', ' ', JUNK, 'null', '1.5', '0x10', 'NaN', 'Infinity', '1,000', '[1]']
    for (const value of values) {
      const said = complaint(name, value)
      t.match(said, new RegExp(`^${name} `), `${name}=${JSON.stringify(value)}`)
      t.notOk(said?.includes(JUNK))
      t.notOk(said?.includes('\n'), 'one line')
    }
  }
  for (const [name, value] of [
    ['HOST', ''],
    ['MODEL_DIR', ''],
    ['LOG_LEVEL', ''],
    ['LOG_LEVEL', JUNK]
  ] as const) {
    t.match(complaint(name, value), new RegExp(`^${name} `), `${name}=${value}`)
  }
  t.end()
})

t.test('a token that is too short or unfit for a header is refused without being shown', t => {
  for (const token of ['short-5d1e7a', `with space ${JUNK}`, `${JUNK}-with-ümlaut`, `${JUNK}\n${JUNK}`, `"${JUNK}`]) {
    const said = complaint('ADMIN_TOKEN', token)
    t.match(said, /^ADMIN_TOKEN must be 16 or more/, JSON.stringify(token))
    t.notMatch(said, /5d1e7a/)
  }
  t.equal(complaint('ADMIN_TOKEN', ''), undefined, 'none turns the routes off')
  t.equal(complaint('ADMIN_TOKEN', '0123456789abcdef'), undefined)
  t.end()
})
