import type { UntypedServiceImplementation } from '@grpc/grpc-js'
import { ServiceError } from '../../../errors.js'
import { type Context, isReady } from '../../context.js'
import { mostWindows } from '../../predict/batch.js'
import { modelConfig, modelMetadata, repositoryIndex, serverMetadata } from '../v2/metadata.js'
import { namedModel } from '../v2/models.js'
import { statisticsOf } from '../v2/statistics.js'
import { modelInfer } from './infer.js'
import type { NamedModel } from './messages.js'
import { type Calls, unary } from './unary.js'

/** The calls of `inference.GRPCInferenceService`. */
export function inferenceService(calls: Calls): UntypedServiceImplementation {
  const { context } = calls
  const serving = ({ name, version }: NamedModel) => namedModel(context, { model: name, version }).pool
  const manifestOf = (named: NamedModel) => serving(named).bundle.manifest
  /** A call that is answered by what `answer` returns at once. */
  const told = <Request>(name: string, answer: (request: Request) => object) =>
    unary<Request, object>(name, calls, (request, one) => one.answered(answer(request)))
  return {
    ServerLive: told('ServerLive', () => ({ live: true })),
    ServerReady: told('ServerReady', () => ({ ready: isReady(context) })),
    ModelReady: told('ModelReady', (named: NamedModel) => {
      serving(named)
      return { ready: isReady(context) }
    }),
    ServerMetadata: told('ServerMetadata', () => serverMetadata(calls.version)),
    ModelMetadata: told('ModelMetadata', (named: NamedModel) => modelMetadata(manifestOf(named))),
    ModelInfer: unary('ModelInfer', calls, modelInfer(context)),
    ModelConfig: told('ModelConfig', (named: NamedModel) => ({
      config: modelConfig(manifestOf(named), mostWindows(context.config))
    })),
    ModelStatistics: told('ModelStatistics', (named: NamedModel) => {
      const pool = named.name === '' ? context.active.serving?.pool : serving(named)
      return { model_stats: pool ? [statisticsOf(pool.bundle.manifest, pool.statistics)] : [] }
    }),
    RepositoryIndex: told('RepositoryIndex', (asked: { ready: boolean }) => ({
      models: indexOf(context, asked.ready)
    })),
    RepositoryModelLoad: told('RepositoryModelLoad', () => refuseChange('load')),
    RepositoryModelUnload: told('RepositoryModelUnload', () => refuseChange('unload'))
  }
}

function refuseChange(what: 'load' | 'unload'): never {
  const text = `${what} is not supported: the registry's promotion says which version serves, POST /admin/reload asks for it anew`
  throw new ServiceError('bad_request', text)
}

function indexOf({ active }: Context, onlyReady: boolean) {
  const { serving, ready } = active
  return serving && (ready || !onlyReady) ? repositoryIndex(serving.pool.bundle.manifest, ready) : []
}
