import { byId, say } from './dom.js'
import { Unreadable } from './unreadable.js'

/** The largest file that is read: a table of 100,000 rows has about 15 MB. */
const MOST_BYTES = 32 * 1024 * 1024
/** The longest text that is shown for mending. */
const MOST_SHOWN = 200_000
/** The longest text that is pasted to mend a line of another. */
const MOST_MENDING = 200

const box = byId('table', HTMLTextAreaElement)
const file = byId('file', HTMLInputElement)
const note = byId('table-note', HTMLElement)
const unreadable = byId('unreadable', HTMLElement)

/**
 * The field for a table of one's own. What is pasted, dropped or chosen is read at once; what is typed, when the field is left. A table
 * that was read leaves the field, one that cannot be read stays there beside the reason.
 */
export class OwnTable {
  /** counts what was given, so that a large file that was given earlier is not read later */
  #turn = 0

  /** @param {(text: string) => string} read takes the text over and says what was read; throws `Unreadable` */
  constructor(read) {
    this.read = read
    box.addEventListener('paste', event => this.#pasted(event))
    box.addEventListener('change', () => this.settle())
    file.addEventListener('change', () => {
      void this.#give(file.files)
      // The same file can be chosen again, when it has been mended.
      file.value = ''
    })
    document.addEventListener('dragover', event => this.#dragged(event))
    document.addEventListener('dragleave', event => event.relatedTarget ?? markDrop(false))
    document.addEventListener('drop', event => this.#dropped(event))
  }

  /** Reads what stands in the field, if anything does; false where it cannot be read. */
  settle() {
    if (box.value.trim() !== '') return this.#take(box.value)
    unreadable.hidden = true
    return true
  }

  /** Forgets what stands in the field and what was said of it. */
  clear() {
    this.#turn++
    box.value = ''
    unreadable.hidden = true
    say(note, '')
  }

  /** @param {ClipboardEvent} event */
  #pasted(event) {
    const text = event.clipboardData?.getData('text') ?? ''
    if (event.clipboardData?.files.length && text === '') {
      event.preventDefault()
      return void this.#give(event.clipboardData.files)
    }
    const kept = box.value.slice(0, box.selectionStart) + box.value.slice(box.selectionEnd)
    // A few characters mend what stands there; anything more takes its place.
    if (text.length <= MOST_MENDING && !/[\r\n]/.test(text) && kept.trim() !== '') return
    event.preventDefault()
    this.#take(text)
  }

  /** @param {DragEvent} event */
  #dragged(event) {
    if (!event.dataTransfer?.types.includes('Files') && event.target !== box) return
    event.preventDefault()
    markDrop(true)
  }

  /** @param {DragEvent} event */
  #dropped(event) {
    markDrop(false)
    const { files } = event.dataTransfer ?? {}
    const text = event.target === box ? event.dataTransfer?.getData('text') : undefined
    if (!files?.length && !text) return
    event.preventDefault()
    if (files?.length) void this.#give(files)
    else this.#take(text ?? '')
  }

  /** @param {FileList | null} files */
  async #give(files) {
    const given = files?.[0]
    if (!given) return
    const turn = ++this.#turn
    try {
      if (files.length > 1) throw new Unreadable(`These are ${files.length} files. Give one at a time.`)
      const text = await textOf(given)
      if (turn === this.#turn) this.#take(text, given.name)
    } catch (error) {
      if (turn === this.#turn) refuse(error, '')
    }
  }

  /** @param {string} text @param {string} [name] of its file */
  #take(text, name) {
    this.#turn++
    try {
      const words = this.read(text)
      this.clear()
      say(note, name === undefined ? words : `${name}: ${words}`)
      return true
    } catch (error) {
      refuse(error, text)
      return false
    }
  }
}

/** @param {boolean} isOver */
const markDrop = isOver => document.body.classList.toggle('drop', isOver)

/** Says why nothing was read, and shows the text for mending. @param {unknown} error @param {string} text */
function refuse(error, text) {
  if (!(error instanceof Unreadable)) throw error
  const shown = text.length > MOST_SHOWN ? '' : text
  if (box.value !== shown) box.value = shown
  say(note, '')
  say(unreadable, error.message)
  unreadable.hidden = false
  unreadable.scrollIntoView({ block: 'nearest' })
}

/** @param {File} file @returns {Promise<string>} */
async function textOf(file) {
  const megabytes = (/** @type {number} */ bytes) => `${Math.ceil(bytes / 1024 / 1024)} MiB`
  if (file.size > MOST_BYTES)
    throw new Unreadable(
      `${file.name} has ${megabytes(file.size)}, and the page reads up to ${megabytes(MOST_BYTES)}. Its last rows are enough.`
    )
  const bytes = new Uint8Array(await file.arrayBuffer().catch(() => unreadFile(file)))
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8'
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes)
    if (!text.includes('\0')) return text
  } catch {}
  throw new Unreadable(
    `${file.name} is not text in UTF-8. Expected a CSV or JSON file; a spreadsheet saves one as “CSV UTF-8”.`
  )
}

/** @param {File} file @returns {never} */
function unreadFile(file) {
  throw new Unreadable(`${file.name} cannot be read. Is it a folder, or was it changed?`)
}
