import { ModelRefused } from '../../errors.js'
import { ONNX } from './onnx-schema.js'
import { isOutside } from './onnx-tensor.js'
import { broken, messages, numbers, ProtobufReader, texts, type Tree } from './protobuf.js'

/**
 * Reads from an ONNX file (github.com/onnx/onnx, onnx/onnx.proto) what must be known before onnxruntime opens it: which
 * operators there are, and whether any tensor's data lie outside it. What it says is true only if onnxruntime reads the same
 * file in the same way, so a file that could be read in two ways is refused (protobuf.ts).
 */

/** What a graph is made of. */
export interface GraphFacts {
  /** operators, with their domain in front unless it is the standard one */
  operators: Set<string>
  /** whether a tensor's data lie in another file */
  externalData: boolean
}

const STANDARD_DOMAINS = ['', 'ai.onnx']
/**
 * Reads a model's bytes. Throws `load_failed` where they are no ONNX protobuf that has one meaning, or have other than one graph
 * with nodes and initialisers; `operator_not_allowed` for functions, training and sets of operators of another domain.
 */
export function readGraph(bytes: Uint8Array): GraphFacts {
  const model = new ProtobufReader(bytes, ONNX).read('ModelProto')
  const [graph] = messages(model, 7)
  if (!graph) throw broken('the file has no graph')
  if (!graph[1] || !graph[5]) throw broken('the graph has no nodes or no initialisers')
  if (model[20]) throw new ModelRefused('operator_not_allowed', 'model.onnx contains training graphs')
  if (model[25]) throw new ModelRefused('operator_not_allowed', 'model.onnx contains functions of its own')
  checkDomains(messages(model, 8))
  const facts: GraphFacts = { operators: new Set(), externalData: false }
  readInto(facts, graph)
  return facts
}

/** The standard operators in one version, and none of another domain. */
function checkDomains(imports: readonly Tree[]): void {
  const strange = imports
    .map(({ 1: domain = [''] }) => String(domain[0]))
    .find(name => !STANDARD_DOMAINS.includes(name))
  if (strange !== undefined) {
    const shown = strange.slice(0, 64).replace(/[^\w.-]/g, '?')
    throw new ModelRefused('operator_not_allowed', `model.onnx imports operators of the domain ${shown}`)
  }
  if (imports.length !== 1) throw broken('the standard operators are not imported exactly once')
  if (numbers(imports[0]!, 2).length === 0) throw broken('the version of the operators is missing')
}

function readInto(facts: GraphFacts, graph: Tree): void {
  const sparse = messages(graph, 15)
  readTensors(facts, [...messages(graph, 5), ...insideOf(sparse)])
  for (const node of messages(graph, 1)) {
    facts.operators.add(operatorOf(node))
    for (const attribute of messages(node, 5)) {
      readTensors(facts, [...messages(attribute, 5, 10), ...insideOf(messages(attribute, 22, 23))])
      for (const inner of messages(attribute, 6, 11)) readInto(facts, inner)
    }
  }
}

/** The values and the indices of sparse tensors, which are tensors. */
function insideOf(sparse: readonly Tree[]): Tree[] {
  return sparse.flatMap(tensor => messages(tensor, 1, 2))
}

function readTensors(facts: GraphFacts, tensors: readonly Tree[]): void {
  for (const tensor of tensors) facts.externalData = isOutside(tensor) || facts.externalData
}

function operatorOf(node: Tree): string {
  const [type = ''] = texts(node, 4)
  const [domain = ''] = texts(node, 7)
  // With a third input a Dropout may be told to train, and then draws lots.
  if (type === 'Dropout' && (texts(node, 1)[2] ?? '') !== '') return 'Dropout.training'
  return STANDARD_DOMAINS.includes(domain) ? type : `${domain}.${type}`
}
