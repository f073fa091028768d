// One process of the yardstick of main.ts: autocannon as it comes. Counts its 2xx answers between two messages.
import autocannon from 'autocannon'

let ok = 0
let from = { ok: 0, at: 0 }
process.on('message', message => {
  const now = { ok, at: performance.now() }
  if (message === 'begin') from = now
  else if (message === 'end') process.send(((now.ok - from.ok) / (now.at - from.at)) * 1000)
  else {
    const instance = autocannon({ ...message, duration: 1e6 }, () => undefined)
    instance.on('response', (_client, status) => {
      if (status === 200) ok++
    })
    process.send('started')
  }
})
process.on('disconnect', () => process.exit())
