import t from 'tap'
import { withComponents } from '../../../../src/server/schemas/components.js'

const point = { title: 'Point', type: 'object', properties: { x: { type: 'number' } } }

t.test('a schema with a title stands once, in the components, and numbers are doubles', t => {
  const described = withComponents({
    info: { title: 'an interface' },
    components: { securitySchemes: { bearer: {} } },
    paths: { '/a': { schema: point }, '/b': { items: [point], 'x-examples': { examples: { title: 'a book' } } } }
  })
  const ref = { $ref: '#/components/schemas/Point' }
  t.same(described, {
    info: { title: 'an interface' },
    components: {
      securitySchemes: { bearer: {} },
      schemas: { Point: { type: 'object', properties: { x: { type: 'number', format: 'double' } } } }
    },
    paths: { '/a': { schema: ref }, '/b': { items: [ref], 'x-examples': { examples: { title: 'a book' } } } }
  })
  t.end()
})

t.test('two different schemas with one title are a defect', t => {
  t.throws(() => withComponents({ a: point, b: { ...point, properties: {} } }), /two schemas have the title Point/)
  t.end()
})
