import type { ServerResponse } from 'node:http'
import t from 'tap'
import { follow } from '../../support/following.js'
import { breakOff, httpFront } from '../../support/http-front.js'
import { published, shiftedBy, withModel } from '../../support/registered.js'
import { startMlflow } from '../../support/stores.js'
import { GENTLE, underLoad } from '../../support/under-load.js'

/** Nothing here waits for a registry that is silent, and a host that does much else is slow. */
const PATIENT = { RESOLVE_TIMEOUT_MS: '60000', SANDBOX_TIMEOUT_MS: '120000', POLL_INTERVAL_MS: '0' }
const live = { 1: withModel(), 2: shiftedBy(1e6) }

const mlflow = await startMlflow({})
t.teardown(() => mlflow.stop())

const answer =
  (status: number, type: string, body: string, more = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(status, { 'content-type': type, ...more }).end(body)

/** Zeros for as long as somebody reads them. */
function endless(response: ServerResponse): void {
  const more = () => void (response.destroyed || response.write(Buffer.alloc(65_536), () => setImmediate(more)))
  response.writeHead(200, { 'content-type': 'application/octet-stream' })
  more()
}

const HOSTILE: Record<string, [(response: ServerResponse) => void, status: number, reason: string]> = {
  'a page instead of a file': [answer(200, 'text/html', '<html>Log in</html>'), 503, 'storage_unavailable'],
  'a redirect': [answer(302, 'text/plain', '', { location: 'http://127.0.0.1:1/' }), 503, 'storage_unavailable'],
  'an error of the server': [answer(500, 'application/json', '{}'), 503, 'storage_unavailable'],
  'a page that says 404': [answer(404, 'text/html', '<html></html>'), 503, 'storage_unavailable'],
  'artifacts that are turned off': [answer(503, 'text/plain', 'disabled'), 503, 'storage_unavailable'],
  'a refusal': [answer(403, 'text/plain', 'Invalid Host header'), 503, 'access_denied'],
  'a body without an end': [endless, 422, 'too_large'],
  'a body that is shorter than it says': [breakOff, 503, 'storage_unavailable'],
  'a connection that is closed': [response => void response.destroy(), 503, 'storage_unavailable'],
  'no answer': [() => undefined, 503, 'storage_unavailable']
}

t.test('whatever is in the place of an artifact, what serves goes on and the reason is the right one', async t => {
  const model = await published(t, { mlflow }, live)
  const front = await httpFront(t, mlflow.url)
  const env = { ...PATIENT, FETCH_TIMEOUT_MS: '1500', MODEL_MAX_BYTES: '2000000' }
  const replica = await follow(t, { mlflow: front, name: model.name }, { env })
  await replica.serves('1')
  await model.promote('2')
  await underLoad(t, replica.service, { ...GENTLE, versions: live }, async () => {
    for (const file of ['model.onnx', 'artifacts?path=']) {
      for (const [what, [instead, status, reason]] of Object.entries(HOSTILE)) {
        // A list that never ends is no list.
        const expected =
          file !== 'model.onnx' && reason === 'too_large' ? [503, 'storage_unavailable'] : [status, reason]
        front.instead = instead
        front.only = file
        const ended = await replica.admin('reload')
        t.match([ended.status, ended.json?.error?.message?.split(':')[0]], expected, `${what} for ${file}`)
        t.match(await replica.state(), { ready: true, model: { version: '1' }, promotion: { registry_up: true } })
      }
    }
    front.instead = undefined
    t.match(await replica.admin('reload'), { status: 200, json: { model: { version: '2' } } })
  })
  t.equal(await replica.service.stop(), 0)
})
