/** Messages of inference.proto as proto-loader gives and takes them (`FORM` in read-proto.ts): every field is there, absent ones by default. */

export interface InferParameter {
  /** which of the fields is set */
  parameter_choice?: 'bool_param' | 'int64_param' | 'string_param' | 'double_param' | 'uint64_param'
  bool_param?: boolean
  int64_param?: number
  string_param?: string
  double_param?: number
  uint64_param?: number
}

export interface InferTensorContents {
  bool_contents: boolean[]
  int_contents: number[]
  int64_contents: number[]
  uint_contents: number[]
  uint64_contents: number[]
  fp32_contents: number[]
  fp64_contents: number[]
  bytes_contents: Uint8Array[]
}

export interface InferInputTensor {
  name: string
  datatype: string
  shape: number[]
  parameters: Record<string, InferParameter>
  contents: InferTensorContents | null
}

export interface ModelInferRequest {
  model_name: string
  model_version: string
  id: string
  parameters: Record<string, InferParameter>
  inputs: InferInputTensor[]
  outputs: { name: string; parameters: Record<string, InferParameter> }[]
  /** views of the frame that came in, one for each of `inputs` */
  raw_input_contents: Buffer[]
}

export interface ModelInferResponse {
  model_name: string
  model_version: string
  id: string
  outputs: { name: string; datatype: string; shape: number[]; contents?: { fp32_contents: number[] } }[]
  raw_output_contents?: Uint8Array[]
}

/** What a call about a model names: the empty version stands for the one that serves. */
export interface NamedModel {
  name: string
  version: string
}
