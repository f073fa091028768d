import { attribute, step, tensor, withSteps } from './onnx-bytes.js'

/**
 * Models that load and are right for most batches: the committed ones with a last step that looks at the batch. Each is
 * wrong by a twentieth or more where it is wrong.
 */

/** Rows of the batch, as a tensor called `rows`. */
const rows = [step('Shape', 'shape', 'window'), step('Gather', 'rows', 'shape', 'first')]
const first = tensor('first', 7, [0], [])
const spoil = [tensor('right', 1, [1], []), tensor('spoilt', 1, [0.5], [])]

/** Wrong where a batch has exactly `size` rows. */
export function wrongAtSize(model: Uint8Array, size: number): Buffer {
  return withSteps(
    model,
    [first, ...spoil, tensor('size', 7, [size], [])],
    ...rows,
    step('Equal', 'spoils', 'rows', 'size'),
    step('Where', 'factor', 'spoils', 'spoilt', 'right'),
    step('Mul', 'forecast', 'forecas0', 'factor')
  )
}

/** Wrong in one place of every batch that is large enough to have it. */
export function wrongAtPlace(model: Uint8Array, place: number): Buffer {
  return withSteps(
    model,
    [first, ...spoil, tensor('place', 7, [place], []), tensor('one', 7, [1], []), tensor('column', 7, [1])],
    ...rows,
    step('Range', 'places', 'first', 'rows', 'one'),
    step('Equal', 'spoils', 'places', 'place'),
    step('Where', 'factors', 'spoils', 'spoilt', 'right'),
    step('Unsqueeze', 'factor', 'factors', 'column'),
    step('Mul', 'forecast', 'forecas0', 'factor')
  )
}

/** Each forecast moved a tenth of the way to the mean of its batch. */
export function towardsMean(model: Uint8Array): Buffer {
  return withSteps(
    model,
    [tensor('near', 1, [0.9], []), tensor('far', 1, [0.1], [])],
    step('ReduceMean', 'mean', 'forecas0', attribute('axes', [0])),
    step('Mul', 'own', 'forecas0', 'near'),
    step('Mul', 'others', 'mean', 'far'),
    step('Add', 'forecast', 'own', 'others')
  )
}

/** Each row gets the forecast of the row that is before it, the first one that of the last. */
export function turned(model: Uint8Array): Buffer {
  return withSteps(
    model,
    [first, tensor('minus', 7, [-1]), tensor('zero', 7, [0]), tensor('end', 7, [2 ** 31])],
    step('Slice', 'last', 'forecas0', 'minus', 'end', 'zero'),
    step('Slice', 'others', 'forecas0', 'zero', 'minus', 'zero'),
    step('Concat', 'forecast', 'last', 'others', attribute('axis', 0))
  )
}

/** Right for whoever is alone or first; each other row gets the first row's forecast. */
export function firstForAll(model: Uint8Array): Buffer {
  return withSteps(
    model,
    [first, tensor('zero', 7, [0]), tensor('one', 7, [1])],
    step('Slice', 'top', 'forecas0', 'zero', 'one', 'zero'),
    step('Shape', 'all', 'forecas0'),
    step('Expand', 'forecast', 'top', 'all')
  )
}

/** One forecast for the whole batch, in the place of one for each row. */
export function onlyFirst(model: Uint8Array): Buffer {
  return withSteps(
    model,
    [tensor('zero', 7, [0]), tensor('one', 7, [1])],
    step('Slice', 'forecast', 'forecas0', 'zero', 'one', 'zero')
  )
}

/** Cannot be run with more than `most` rows: the batch is given the shape of so many. */
export function failsAbove(model: Uint8Array, most: number): Buffer {
  return withSteps(
    model,
    [first, tensor('most', 7, [most], []), tensor('zero', 7, [0], []), ...spoil, tensor('ones', 1, [1])],
    ...rows,
    step('Sub', 'over', 'rows', 'most'),
    step('Greater', 'fails', 'over', 'zero'),
    step('Cast', 'index', 'fails', attribute('to', 7)),
    // There is one value: to ask for the second one is an error of the run.
    step('Gather', 'factor', 'ones', 'index'),
    step('Mul', 'forecast', 'forecas0', 'factor')
  )
}
