import { Ajv } from 'ajv'

/**
 * Checks values as they are: nothing is turned into another type, filled in or left out. The schemas are our own and
 * written against types; checking each of them against the meta-schema would be half of a start's Ajv time. Code that is
 * not optimised is longer and compiled sooner: each start pays for the compiling.
 */
export const exactly = new Ajv({ meta: false, validateSchema: false, strict: true, code: { optimize: false } })
