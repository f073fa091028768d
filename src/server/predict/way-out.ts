type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** How a table is sent, for those who have sent another of its usual forms. */
export const HOW_TO_SEND =
  'send {"data": {"ts": [...], ...}} with one array per column (from pandas: {"data": df.astype({"ts": str}).to_dict("list")})'

/** What a JSON body of another form seems to be; undefined where nothing is known of it. It repeats nothing of the body. */
function formOf(body: unknown): string | undefined {
  if (typeof body === 'string') return 'the body is JSON inside a JSON string: the body was encoded twice'
  if (Array.isArray(body)) return 'the body is a list of rows'
  if (!isObject(body)) return 'the body is a single value'
  const { data } = body
  if (data === undefined) return formWithoutData(body)
  if (typeof data === 'string') return 'data is a string: data was encoded twice'
  if (Array.isArray(data)) return 'data is a list of rows'
  if (isObject(data) && Object.values(data).some(isObject)) {
    return isNumbered(Object.keys(data))
      ? 'data has one object per row'
      : 'a column is an object with row numbers as keys'
  }
  return undefined
}

function formWithoutData(body: Json): string | undefined {
  const keys = Object.keys(body)
  if (keys.length > 0 && isNumbered(keys)) return 'the body has one object per row'
  if (Object.values(body).some(Array.isArray)) return 'the columns are not in data'
  return Object.values(body).some(isObject) ? 'the body has one object per column, with row numbers as keys' : undefined
}

const isNumbered = (keys: string[]) => keys.every(key => /^\d+$/.test(key))

/** What the body seems to be and how to send a table; undefined for a body of the right form with another fault. */
export function wayOut(body: unknown): string | undefined {
  const form = formOf(body)
  return form && `${form}: ${HOW_TO_SEND}`
}

/** Bytes at the beginning of a body by which its form is told. */
const BEGINNING = 256

/** The same for a body that is not JSON, by its beginning and the byte at which it stops being JSON, outside of its first value. */
export function wayOutOfText(body: Buffer, at: number): string | undefined {
  const line = body
    .toString('latin1', 0, BEGINNING)
    .trimStart()
    .split(/[\r\n]/)[0]!
  if (line.startsWith('{') || line.startsWith('[')) {
    return at < body.length && /^\s*[[{]/.test(body.toString('latin1', at, at + BEGINNING))
      ? `the body has one JSON value after another: ${HOW_TO_SEND}`
      : undefined
  }
  return /[,;\t]/.test(line) ? `the body looks like CSV: ${HOW_TO_SEND}` : undefined
}
