import { byId, say } from './dom.js'

const NAME = 'gru-api-key'
/** What a header can carry. */
const WRITABLE = /^[\x21-\x7e]+$/

const form = byId('key-form', HTMLFormElement)
const field = byId('key', HTMLInputElement)
const forget = byId('key-forget', HTMLButtonElement)
const hint = byId('key-hint', HTMLElement)

/** The key, where this tab keeps nothing. @type {string | null} */
let unkept = null

/** The key that this tab sends, if it has one. */
export function apiKey() {
  try {
    return sessionStorage.getItem(NAME) ?? undefined
  } catch {
    return unkept ?? undefined
  }
}

/** @param {string | null} key null: none from now on */
function keep(key) {
  try {
    if (key === null) sessionStorage.removeItem(NAME)
    else sessionStorage.setItem(NAME, key)
  } catch {
    unkept = key
  }
  forget.hidden = key === null
}

/** Paths that were refused for want of a key, or of a better one. @type {Set<string>} */
const refused = new Set()

/** Shows the field, because a request was answered 401. @param {string} path @param {string | undefined} sent the key that it had */
export function keyRefused(path, sent) {
  // Of an earlier key, an answer that comes late says nothing.
  if (sent !== apiKey()) return
  refused.add(path)
  form.hidden = false
  say(hint, sent === undefined ? 'The service wants an API key.' : 'The service does not take this API key.')
}

/** Hides the field, where the path is one that was refused before. @param {string} path that was answered */
export function keyTaken(path) {
  if (!refused.has(path)) return
  refused.clear()
  form.hidden = true
}

/** The field of the key. @param {() => void} changed asks the service anew */
export function keyForm(changed) {
  forget.hidden = apiKey() === undefined
  form.addEventListener('submit', event => {
    event.preventDefault()
    const key = field.value.trim()
    if (!WRITABLE.test(key)) return say(hint, 'An API key has letters, digits and signs, and no spaces.')
    keep(key)
    field.value = ''
    say(hint, 'This tab sends the key.')
    changed()
  })
  forget.addEventListener('click', () => {
    keep(null)
    changed()
  })
}
