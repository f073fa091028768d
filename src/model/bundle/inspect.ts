import { ModelRefused } from '../../errors.js'
import { readGraph } from './onnx-graph.js'

/**
 * Operators of the standard domain that a forecaster may be made of: arithmetic, reductions, shapes, recurrence and control
 * flow. Left out on purpose: what is random (an answer must not depend on the run), text, sequences and images, what
 * trains, and every operator of another domain.
 */
const ALLOWED = new Set(
  [
    'Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast Ceil Clip Concat Constant ConstantOfShape Conv Cos',
    'CumSum Div Dropout Einsum Elu Equal Erf Exp Expand Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm',
    'GlobalAveragePool Greater GreaterOrEqual HardSigmoid HardSwish Identity If IsInf IsNaN LSTM LayerNormalization',
    'LeakyRelu Less LessOrEqual Log LogSoftmax Loop MatMul Max MaxPool Mean Min Mish Mod Mul Neg Not OneHot Or PRelu Pad',
    'Pow RNN Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd',
    'ReduceSum ReduceSumSquare Relu Reshape Round Scan ScatterElements ScatterND Selu Shape Sigmoid Sign Sin Size Slice',
    'Softmax Softplus Softsign Split Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze',
    'Where Xor'
  ]
    .join(' ')
    .split(' ')
)

/** Refuses a model whose data lie in other files, or with an operator that is not allowed, before anything opens it. */
export function inspectGraph(model: Uint8Array): void {
  const { operators, externalData } = readGraph(model)
  if (externalData) throw new ModelRefused('external_data', 'model.onnx keeps tensor data in another file')
  const strange = [...operators].find(operator => !ALLOWED.has(operator))
  if (strange === undefined) return
  const shown = strange.slice(0, 64).replace(/[^\w.-]/g, '?')
  throw new ModelRefused('operator_not_allowed', `model.onnx has the operator ${shown}`)
}
