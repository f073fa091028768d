import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { bodyOf, gru } from '../../support/bundles.js'
import { openBrowser, visit } from '../../support/browser.js'
import { eventually } from '../../support/eventually.js'
import { HAPROXIES } from '../../support/haproxies.js'
import { Ledger } from '../../support/ledger.js'
import { freePorts } from '../../support/servers/ports.js'
import { startService } from '../../support/service.js'

/** An operator's own HAProxy, which passes everything to each replica in turn. */
const CONFIG = (port: number, servers: string[]) => `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen all
  bind 127.0.0.1:${port}
  balance roundrobin
${servers.map((address, index) => `  server r${index} ${address}`).join('\n')}
`

t.test('behind a balancer the page shows no figure of two replicas as if they were one', async t => {
  // Each look asks twice: with three of them no two looks in a row see the counters of the same one.
  const replicas = await Promise.all([1, 2, 3].map(() => startService()))
  t.teardown(() => Promise.all(replicas.map(service => service.stop())))
  const [port] = (await freePorts(1)) as [number]
  const file = join(t.testdir(), 'haproxy.cfg')
  writeFileSync(
    file,
    CONFIG(
      port,
      replicas.map(({ url }) => new URL(url).host)
    )
  )
  const haproxy = spawn(HAPROXIES["Debian's HAProxy"], ['-db', '-f', file], { stdio: 'ignore' })
  t.teardown(() => haproxy.kill())
  const url = `http://127.0.0.1:${port}`
  await eventually('HAProxy listens', async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200)
  // Counters that differ by more than one replica gains between two looks.
  for (const [index, { url }] of replicas.entries()) {
    const ledger = new Ledger(url)
    await Promise.all(Array.from({ length: 100 * index }, (_, row) => ledger.send(bodyOf(gru(), row % 64))))
    ledger.close()
  }
  const browser = await openBrowser(t)
  const { page } = await visit(browser, url)
  t.teardown(() => page.close())
  let looks = 0
  page.on('response', response => void (looks += Number(response.url().endsWith('/metrics'))))
  await page.locator('#live-replica').getByText('Two replicas answered').waitFor()
  const shown = new Set<string | null>()
  await eventually('five looks', async () => {
    for (const rate of await page.locator('.figures span[id], .figures dd[id]').allTextContents()) shown.add(rate)
    return looks >= 5
  })
  t.same([...shown], ['–'])
})
