import { byId, html, say } from './dom.js'

/** @typedef {{ name: string, words: string, state: 'waiting' | 'forecast' | 'error' }} Entry what became of a window */

const list = byId('windows', HTMLFieldSetElement)
const rows = byId('windows-list', HTMLElement)

/** The windows of a request that has several, one of them chosen for the chart. */
export class WindowList {
  /** from 0 */
  chosen = 0

  /** @param {() => void} changed another one was chosen */
  constructor(changed) {
    rows.addEventListener('change', event => {
      if (event.target instanceof HTMLInputElement) this.chosen = Number(event.target.value)
      changed()
    })
  }

  /** Hidden where there is only one window. @param {Entry[]} entries */
  show(entries) {
    list.hidden = entries.length < 2
    if (this.chosen >= entries.length) this.chosen = 0
    if (list.hidden) return rows.replaceChildren()
    const failed = entries.filter(({ state }) => state === 'error').length
    const count = `${entries.length} windows${failed > 0 ? `, ${failed} with an error` : ''}`
    say(byId('windows-count', HTMLElement), count)
    // The choice keeps the keyboard, and the place to which the list was scrolled.
    if (rows.children.length !== entries.length) rows.replaceChildren(...entries.map(() => row()))
    entries.forEach((entry, index) => fill(rows.children[index], entry, index, index === this.chosen))
  }
}

function row() {
  const choice = html('input', { type: 'radio', name: 'window' })
  const name = html('span', { class: 'name' })
  return html('li', {}, html('label', {}, choice, name, html('span', { class: 'became' })))
}

/** @param {Element | undefined} row @param {Entry} entry @param {number} index @param {boolean} isChosen */
function fill(row, { name, words, state }, index, isChosen) {
  const [choice, title, became] = row?.firstElementChild?.children ?? []
  if (!(choice instanceof HTMLInputElement) || !title || !(became instanceof HTMLElement)) return
  choice.value = String(index)
  choice.checked = isChosen
  say(title, name)
  say(became, words)
  became.dataset.state = state
}
