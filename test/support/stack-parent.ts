import { startStack } from '../../src/bench/stack/stack.js'

// A process that starts two replicas behind HAProxy at the port it is given, says who they are, and waits to be ended.
const stack = await startStack({ replicas: 2, port: Number(process.argv[2]) })
const pids = [stack.haproxy.pid, ...stack.replicas.map(({ pid }) => pid)]
process.stdout.write(`${JSON.stringify(pids)}\n`)
