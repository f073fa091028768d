const SVG = 'http://www.w3.org/2000/svg'

/**
 * The element of that id; a wrong one is a mistake in this page.
 * @template {Element} T
 * @param {string} id @param {new () => T} type @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id)
  if (found instanceof type) return found
  throw new Error(`#${id} is not what the page expects`)
}

/** @param {string} name @param {Record<string, string>} attributes @param {(Node | string)[]} children */
export function html(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children)
}

/** @param {string} name @param {Record<string, string | number>} attributes @param {(Node | string)[]} children */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children)
}

/**
 * @template {Element} T
 * @param {T} element @param {Record<string, string | number>} attributes @param {(Node | string)[]} children
 */
function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  element.append(...children)
  return element
}

/**
 * Sets a text only where it changed, so that a screen reader is not told the same thing again.
 * @param {Element} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text
}
