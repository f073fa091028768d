import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { Kafka as KafkaClient, logLevel } from 'kafkajs'
import { installedFolder } from './installed.js'
import { freePorts } from './ports.js'
import { dataFolder, type Server, startServer } from './server.js'

const run = promisify(execFile)

/** Any 22 characters of base64 that stand for 16 bytes. */
const CLUSTER_ID = 'Z3J1LWluZmVyZW5jZS10MQ'

/** ApiVersions 0 without a client: length, key 18, version 0, correlation 1, null. https://kafka.apache.org/protocol */
const API_VERSIONS = Buffer.from('0000000a0012000000000001ffff', 'hex')

/** The topic of promotions; see docs/reference/promotion-events.md. */
export const PROMOTIONS_TOPIC = 'model-promotions'

export interface KafkaAccess {
  /** `host:port` of each broker */
  brokers: string[]
}

export interface Kafka extends Server, KafkaAccess {}

/** Starts a broker of one node with the topic of promotions, one partition; other topics are made by who needs them. */
export async function startKafka(): Promise<Kafka> {
  const [port, controller] = (await freePorts(2)) as [number, number]
  const folder = dataFolder('kafka')
  const java = [
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-Dlog4j2.level=WARN',
    '-cp',
    `${installedFolder('kafka')}/lib/*`
  ]
  const properties = `${folder}/server.properties`
  writeFileSync(properties, settings({ port, controller, folder }))
  const format = ['kafka.tools.StorageTool', 'format', '--standalone', '--cluster-id', CLUSTER_ID, '-c', properties]
  await run('java', ['-Xmx128m', ...java, ...format])
  const brokers = [`127.0.0.1:${port}`]
  const server = await startServer({
    name: 'kafka',
    folder,
    command: ['java', '-Xms128m', '-Xmx256m', ...java, 'kafka.Kafka', properties],
    ready: async () => (await answers(port)) && (await hasTopic(brokers))
  })
  return Object.assign(server, { brokers })
}

function settings({ port, controller, folder }: { port: number; controller: number; folder: string }): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${folder}/data
num.partitions=1
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
# After a SIGKILL the controller refuses the broker until the old session has ended.
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
`
}

/** A listening port is not yet a broker: this one has answered a request, correlation 1, without an error. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(API_VERSIONS))
    socket.setTimeout(2000, () => socket.destroy(new Error('no answer')))
    socket.once('data', data => {
      resolve(data.length >= 10 && data.readInt32BE(4) === 1 && data.readInt16BE(8) === 0)
      socket.destroy()
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(false))
  })
}

/** Makes the topic unless it is there; false while the broker knows no leader for it. */
async function hasTopic(brokers: string[]): Promise<boolean> {
  const admin = new KafkaClient({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin()
  try {
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: PROMOTIONS_TOPIC, numPartitions: 1, replicationFactor: 1 }] })
    const { topics } = await admin.fetchTopicMetadata({ topics: [PROMOTIONS_TOPIC] })
    return topics[0]!.partitions.every(partition => partition.leader === 1)
  } finally {
    await admin.disconnect()
  }
}
