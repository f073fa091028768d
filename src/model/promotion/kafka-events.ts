import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Consumer, Kafka } from 'kafkajs'
import { monotonicMs } from '../../clock.js'

export interface KafkaEventsOptions {
  brokers: string[]
  topic: string
  /** an event came; what it says is nobody's order, so it is not read */
  heard(): void
  /** from now on every event is heard */
  joined(): void
  /** a broker has answered, with an event or without: every half second while events are heard */
  fetched(): void
  /** the topic cannot be listened to, and will be tried again */
  failed(message: string): void
}

/** Ms between two tries to listen. */
const RETRY_MS = 5000
/** Ms that a fetch waits for an event. */
const FETCH_MS = 500
/** Ms without an answer of a broker after which events count as not heard: it may be frozen, and no error says so for long. */
const DEAF_MS = 10_000
/** Ms after the abort in which the group is left and deleted. A broker that is gone cannot take that, and need not. */
const LEAVE_MS = 3000

/** Whether promotion events are heard, by what the listener tells. */
export class Hearing {
  #until = -Infinity

  get isGood(): boolean {
    return monotonicMs() < this.#until
  }

  fetched(): void {
    this.#until = monotonicMs() + DEAF_MS
  }

  failed(): void {
    this.#until = -Infinity
  }
}

/**
 * Listens for promotion events until `signal` aborts; resolves when the consumer is gone, or cannot go in time. Brokers that are down
 * are tried again for ever. The group is this process's own, for every replica must hear every event; nothing is committed, and at the
 * end it is deleted, so that no broker keeps the groups of processes that are no more.
 */
export async function listenForPromotions(options: KafkaEventsOptions, signal: AbortSignal): Promise<void> {
  const ended = new AbortController()
  const tooLate = aborted(signal).then(() => pause(LEAVE_MS, undefined, { signal: ended.signal }))
  await Promise.race([listen(options, signal), tooLate]).finally(() => ended.abort())
}

async function listen(options: KafkaEventsOptions, signal: AbortSignal): Promise<void> {
  const { Kafka, logLevel } = (await import('kafkajs')).default
  await restWhenIdle()
  const { brokers, topic, heard, failed } = options
  const kafka = new Kafka({
    clientId: 'gru-inference',
    brokers,
    logLevel: logLevel.NOTHING,
    retry: { retries: 1, restartOnFailure: () => Promise.resolve(false) }
  })
  while (!signal.aborted) {
    const groupId = `gru-inference-${randomUUID()}`
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: FETCH_MS })
    try {
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: false })
      hearAll(consumer, options)
      const given = givenUp(consumer)
      await consumer.run({ autoCommit: false, eachMessage: () => Promise.resolve(heard()) })
      await Promise.race([aborted(signal), given])
    } catch (error) {
      failed((error as Error).message)
      await pause(RETRY_MS, undefined, { signal }).catch(() => undefined)
    }
    await gone(kafka, consumer, groupId)
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
function hearAll(consumer: Consumer, { heard, joined, fetched }: KafkaEventsOptions): void {
  let placed = false
  consumer.on(consumer.events.GROUP_JOIN, () => (placed = false))
  consumer.on(consumer.events.FETCH, () => {
    fetched()
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

/** Leaves the group and deletes it. A broker that is gone, or that never knew the group, is no loss. */
async function gone(kafka: Kafka, consumer: Consumer, groupId: string): Promise<void> {
  await consumer.disconnect().catch(() => undefined)
  const admin = kafka.admin()
  try {
    await admin.connect()
    await admin.deleteGroups([groupId])
  } catch {
    // The broker drops a group that nobody is in and that has committed nothing, only later.
  }
  await admin.disconnect().catch(() => undefined)
}
