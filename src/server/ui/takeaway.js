import { apiKey } from './key.js'
import { byId, say } from './dom.js'
import { download, forecastCsv } from './download.js'
import { asCurl, asPython } from './snippets.js'
/** @import { Outcome } from './api.js' */

/** @typedef {{ text: string, outcomes: Outcome[] }} Answered */
/** @typedef {{ body: string, isBatch: boolean, names: string[] }} Asked */

const downloads = byId('downloads', HTMLElement)
const snippet = byId('snippet', HTMLTextAreaElement)
const box = byId('snippet-box', HTMLElement)
const copied = byId('copied', HTMLElement)

/** What can be taken away: the request as a command or a program, the forecast as a file. */
export class Takeaway {
  /** @type {Answered | undefined} */
  #answered

  /** @param {() => Asked} asked the request as it stands */
  constructor(asked) {
    this.asked = asked
    byId('copy-curl', HTMLButtonElement).addEventListener('click', () => void this.#copy('curl', asCurl))
    byId('copy-python', HTMLButtonElement).addEventListener('click', () => void this.#copy('Python', asPython))
    byId('download-csv', HTMLButtonElement).addEventListener('click', () => this.#save('csv'))
    byId('download-json', HTMLButtonElement).addEventListener('click', () => this.#save('json'))
  }

  /** Offers the files of an answer; none while there is none. @param {Answered | undefined} answered */
  answered(answered) {
    this.#answered = answered
    downloads.hidden = answered === undefined
    box.hidden = true
    say(copied, '')
  }

  /** @param {string} name @param {typeof asCurl} write */
  async #copy(name, write) {
    const { body, isBatch } = this.asked()
    const url = new URL(isBatch ? 'predict/batch' : 'predict', document.baseURI).href
    const text = write({ url, body, hasKey: apiKey() !== undefined })
    try {
      await navigator.clipboard.writeText(text)
      box.hidden = true
      say(copied, `Copied as ${name}.`)
    } catch {
      // Only a page from this machine or by TLS may write to the clipboard.
      box.hidden = false
      snippet.value = text
      snippet.select()
      say(copied, `The browser lets this page copy nothing: take the text for ${name} from here.`)
    }
  }

  /** @param {'csv' | 'json'} kind */
  #save(kind) {
    if (!this.#answered) return
    const { text, outcomes } = this.#answered
    if (kind === 'json') download('forecast.json', 'application/json', text)
    else download('forecast.csv', 'text/csv', forecastCsv(outcomes, this.asked().names))
  }
}
