import { Ajv } from 'ajv'

/**
 * Checks values as they are: nothing is turned into another type, filled in or left out. The schemas are our own and
 * written against types; checking each of them against the meta-schema would be half of a start's Ajv time.
 */
export const exactly = new Ajv({ meta: false, validateSchema: false, strict: true })
