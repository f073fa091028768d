/** What cannot be read as a table. The message says in plain words where and why, for the person who gave it. */
export class Unreadable extends Error {}

/** @param {string} place such as `Line 5` @param {string} column its name @param {string} words a sentence's rest */
export const unreadableAt = (place, column, words) => new Unreadable(`${place}, column ${column || '1'}: ${words}`)
