import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Consumer } from 'kafkajs'

export interface KafkaEventsOptions {
  brokers: string[]
  topic: string
  /** an event came; what it says is nobody's order, so it is not read */
  heard(): void
  /** from now on every event is heard */
  joined(): void
  /** the topic cannot be listened to, and will be tried again */
  failed(message: string): void
}

/** Ms between two tries to listen. */
const RETRY_MS = 5000
/** Ms that a fetch waits for an event. */
const FETCH_MS = 500

/**
 * Listens for promotion events until `signal` aborts; resolves when the consumer is gone. Brokers that are down are tried again
 * for ever. The group is this process's own, for every replica must hear every event.
 */
export async function listenForPromotions(options: KafkaEventsOptions, signal: AbortSignal): Promise<void> {
  const { Kafka, logLevel } = (await import('kafkajs')).default
  await restWhenIdle()
  const { brokers, topic, heard, joined, failed } = options
  const kafka = new Kafka({
    clientId: 'gru-inference',
    brokers,
    logLevel: logLevel.NOTHING,
    retry: { retries: 1, restartOnFailure: () => Promise.resolve(false) }
  })
  while (!signal.aborted) {
    const consumer = kafka.consumer({ groupId: `gru-inference-${randomUUID()}`, maxWaitTimeInMs: FETCH_MS })
    try {
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: false })
      hearAll(consumer, { heard, joined })
      const given = givenUp(consumer)
      await consumer.run({ eachMessage: () => Promise.resolve(heard()) })
      await Promise.race([aborted(signal), given])
    } catch (error) {
      failed((error as Error).message)
      await pause(RETRY_MS, undefined, { signal }).catch(() => undefined)
    }
    await gone(consumer)
  }
}

/** What is used of kafkajs's queue of requests, of which it has one for each connection. */
interface RequestQueue {
  pending: unknown[]
  /** Unix ms until which the broker asks to be left alone; -1: never asked */
  throttledUntil: number
  scheduleCheckPendingRequests(): void
}

let rests = false

/**
 * kafkajs 2.2.4 looks into the queue of each connection every millisecond, whether or not anything waits there: 4 % of a
 * processor for a replica at rest, and a warning of a negative timer on Node 24 (github.com/tulios/kafkajs/issues/1751).
 * With this it looks only where a request waits or a broker asked to be left alone.
 */
async function restWhenIdle(): Promise<void> {
  if (rests) return
  rests = true
  const file = 'kafkajs/src/network/requestQueue/index.js'
  const { prototype } = ((await import(file)) as { default: { prototype: RequestQueue } }).default
  const schedule = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this)
  }
}

/**
 * A group without an offset begins where the topic ends at its first fetch, not at its joining: what was promoted until
 * then made no sound, so it counts as heard.
 */
function hearAll(consumer: Consumer, { heard, joined }: Pick<KafkaEventsOptions, 'heard' | 'joined'>): void {
  let placed = false
  consumer.on(consumer.events.GROUP_JOIN, () => (placed = false))
  consumer.on(consumer.events.FETCH, () => {
    if (placed) return
    placed = true
    joined()
    heard()
  })
}

/** Rejects once kafkajs has ended the consumer: for an error that it does not try again after, or after its tries. */
function givenUp(consumer: Consumer): Promise<never> {
  const given = new Promise<never>((_resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
  })
  given.catch(() => undefined)
  return given
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** A broker that is gone cannot take the leave, and need not. */
async function gone(consumer: Consumer): Promise<void> {
  await consumer.disconnect().catch(() => undefined)
}
