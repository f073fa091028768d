import { BenchError } from '../errors.js'
import { askModel } from './model.js'
import type { Replica } from './replica.js'
import type { RuntimeApi } from './runtime-api.js'
import { until } from './until.js'

/**
 * Lets exactly the first `count` replicas take traffic, each `maxconn` concurrent requests; as before where `maxconn` is left out.
 * @throws BenchError `bad_flag` for a count that there is not, `start_failed` when it does not come about in time
 */
export async function scaleTo(
  api: RuntimeApi,
  replicas: readonly Replica[],
  count: number,
  maxconn?: number
): Promise<void> {
  if (!Number.isInteger(count) || count < 1 || count > replicas.length) {
    throw new BenchError('bad_flag', `replicas must be 1 to ${replicas.length}, not ${count}`)
  }
  if (maxconn !== undefined) {
    const orders = replicas.map(({ name }) => `set maxconn server replicas/${name} ${maxconn}`)
    await api.order(orders.join('; '))
  }
  const { servers } = await api.stats()
  for (const { name } of replicas.slice(0, count)) if (servers[name]!.status !== 'UP') await admit(api, name)
  for (const { name } of replicas.slice(0, count)) {
    await until(`HAProxy shows ${name} UP`, async () => (await api.stats()).servers[name]!.status === 'UP')
  }
  await Promise.all(replicas.slice(count).map(({ name }) => dismiss(api, name)))
  await sameModel(replicas.slice(0, count))
}

/**
 * A server that leaves maintenance counts as UP until a check fails. So it leaves it for `drain`, in which it gets no request,
 * loses its health there, and gets traffic only when its own `/readyz` has said so.
 */
export function admit(api: RuntimeApi, name: string): Promise<void> {
  const steps = ['state drain', 'health down', 'state ready'].map(step => `set server replicas/${name} ${step}`)
  return api.order([...steps, `set server alive/${name} state ready`].join('; '))
}

/** Gives a server no further request, waits for the answers to those that it has, and puts it out of service. */
async function dismiss(api: RuntimeApi, name: string): Promise<void> {
  await setState(api, name, 'drain')
  await until(`${name} has answered everything`, async () => (await api.stats()).servers[name]!.sessions === 0)
  await setState(api, name, 'maint')
}

/** The two that the others follow: the server, and its last resort's. */
function setState(api: RuntimeApi, name: string, state: 'drain' | 'maint'): Promise<void> {
  return api.order(['replicas', 'alive'].map(backend => `set server ${backend}/${name} state ${state}`).join('; '))
}

/** Waits until all serve the model of one digest, as they do unless a promotion is under way. */
async function sameModel(replicas: Replica[]): Promise<void> {
  await until('all replicas serve the same model', async () => {
    const served = await Promise.all(replicas.map(({ url }) => askModel(url)))
    return new Set(served.map(({ digest }) => digest)).size === 1
  })
}
