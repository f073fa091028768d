import { useKey } from './api.js'
import { byId } from './dom.js'

const form = byId('key-form', HTMLFormElement)
const key = byId('key', HTMLInputElement)

/** Asks for the key that the service wants of its callers, while it wants one that the page does not have. */
export class KeyForm {
  /** @param {() => void} given called when somebody has given a key */
  constructor(given) {
    form.addEventListener('submit', event => {
      event.preventDefault()
      useKey(key.value.trim())
      given()
    })
  }

  /** @param {boolean} wanted */
  show(wanted) {
    if (form.hidden !== wanted) return
    form.hidden = !wanted
    key.value = ''
  }
}
