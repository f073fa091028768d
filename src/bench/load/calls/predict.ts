import { isExpected } from '../expected.js'
import type { Protocol } from './protocol.js'

/** `POST /predict`: one window a call. */
export const predict: Protocol = {
  path: () => '/predict',
  encode: ([body]) => ({ body: body! }),
  isExpected: ({ body }, [expectation]) => isExpected(body.toString(), expectation!)
}
