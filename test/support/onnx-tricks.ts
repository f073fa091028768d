import { type Part, putTogether, varint } from './wire.js'

/** Ways to write a model so that two readers may see two models: each changes the parts of a good one. */

const text = (number: number, value: string): Part => ({ number, wire: 2, body: Buffer.from(value) })
const int = (number: number, value: number): Part => ({ number, wire: 0, body: varint(value) })
const message = (number: number, ...body: Part[]): Part => ({ number, wire: 2, body })

const inside = (parts: Part[], number: number): Part => parts.find(part => part.number === number)!
const graphOf = (model: Part[]) => inside(model, 7).body as Part[]
const firstNode = (model: Part[]) => inside(graphOf(model), 1).body as Part[]
const firstTensor = (model: Part[]) => inside(graphOf(model), 5).body as Part[]

/** A node that nobody reads, of an operator that is not allowed. */
const evil = () => message(1, text(1, 'window'), text(2, 'unread'), text(4, 'RandomNormalLike'))
/** A tensor that nobody reads, whose data lie in a file. */
const outside = (location: string) =>
  message(5, int(1, 1), int(2, 1), text(8, 'w'), int(14, 1), message(13, text(1, 'location'), text(2, location)))
/** A tag whose number is this one for who drops what is above 32 bits. */
const beyond = (tag: number) => varint(BigInt(tag) + (1n << 32n))

const replace = (parts: Part[], part: Part, ...by: Part[]) => void parts.splice(parts.indexOf(part), 1, ...by)

export const TRICKS: Record<string, (model: Part[]) => void> = {
  'a second graph, which protobuf adds to the first': model => void model.push(message(7, evil())),
  'a second graph before the first': model => void model.unshift(message(7, evil())),
  'a graph under a tag above 32 bits': model => void model.push({ ...message(7, evil()), tag: beyond(58) }),
  'the only graph under a tag above 32 bits': model => {
    graphOf(model).push(evil())
    inside(model, 7).tag = beyond(58)
  },
  'a tag of more bytes than it needs': model => void (inside(model, 7).tag = varint(58, 3)),
  'a length of more bytes than it needs': model => {
    const length = putTogether(graphOf(model)).length
    inside(model, 7).length = varint(length, 2)
  },
  'a node under a tag above 32 bits': model => void graphOf(model).push({ ...evil(), tag: beyond(10) }),
  'the operator of a node twice': model => void firstNode(model).push(text(4, 'RandomNormalLike')),
  'the operator of a node under a tag above 32 bits': model =>
    void firstNode(model).push({ ...text(4, 'RandomNormalLike'), tag: beyond(34) }),
  'the domain of a node twice': model => void firstNode(model).push(text(7, 'com.microsoft'), text(7, '')),
  'the domain under a tag above 32 bits': model =>
    void firstNode(model).push({ ...text(7, 'com.microsoft'), tag: beyond(58) }),
  'an unknown field of the model': model => void model.push(text(1000, 'x')),
  'an unknown field of the graph': model => void graphOf(model).push(text(1000, 'x')),
  'an unknown field of a node': model => void firstNode(model).push(int(99, 1)),
  'an unknown field of a tensor': model => void firstTensor(model).push(int(99, 1)),
  'a graph as another wire type': model => void model.push({ number: 7, wire: 0, body: varint(1) }),
  'a node in a group': model => {
    const [start, end] = [varint(1 * 8 + 3), varint(1 * 8 + 4)]
    graphOf(model).push({ number: 1, wire: 3, tag: start, body: putTogether([text(4, 'RandomNormalLike')]) })
    graphOf(model).push({ number: 1, wire: 4, tag: end, body: Buffer.alloc(0) })
  },
  'a group of an unknown field': model => {
    model.push({ number: 50, wire: 3, body: putTogether([message(7, evil())]) })
    model.push({ number: 50, wire: 4, body: Buffer.alloc(0) })
  },
  'a field of number 0': model => void model.push({ number: 0, wire: 0, body: varint(0) }),
  'an end of a group that never began': model => void model.push({ number: 1, wire: 4, body: Buffer.alloc(0) }),
  'bytes behind the end of a group': model =>
    void model.push({ number: 1, wire: 4, body: putTogether([message(7, evil())]) }),
  'an operator that is not allowed': model => void graphOf(model).push(evil()),
  'a name that is not UTF-8': model => {
    replace(firstNode(model), inside(firstNode(model), 4), { number: 4, wire: 2, body: Buffer.from([0xff, 0xfe]) })
  },
  'data in a file': model => void graphOf(model).push(outside('weights.bin')),
  'where data lie, under a tag above 32 bits': model => {
    const tensor = outside('weights.bin').body as Part[]
    inside(tensor, 14).tag = beyond(112)
    inside(tensor, 13).tag = beyond(106)
    graphOf(model).push(message(5, ...tensor))
  },
  'where data lie, twice': model => {
    const tensor = outside('weights.bin').body as Part[]
    graphOf(model).push(message(5, ...tensor, int(14, 0)))
  },
  'where data lie, as a number of more than 32 bits': model => {
    const tensor = outside('weights.bin').body as Part[]
    inside(tensor, 14).body = varint((1n << 32n) + 1n)
    graphOf(model).push(message(5, ...tensor))
  },
  'data in a file, of a sparse tensor': model => {
    const values = { ...outside('weights.bin'), number: 1 }
    const indices = message(2, int(1, 1), int(2, 7), text(8, 'i'), { number: 9, wire: 2, body: Buffer.alloc(8) })
    graphOf(model).push(message(15, values, indices, int(3, 4)))
  },
  'data in a file, of a constant': model =>
    void graphOf(model).push(
      message(
        1,
        text(2, 'unread'),
        text(4, 'Constant'),
        message(5, text(1, 'value'), { ...outside('w'), number: 5 }, int(20, 4))
      )
    ),
  'a function of the standard domain': model =>
    void model.push(message(25, text(1, 'Add'), text(4, 'a'), text(5, 'b'), message(7, text(4, 'Relu')), text(10, ''))),
  'a function that nobody calls': model =>
    void model.push(
      message(
        25,
        text(1, 'f'),
        text(4, 'a'),
        text(5, 'b'),
        text(10, 'my'),
        message(9, text(1, ''), int(2, 17)),
        message(7, text(1, 'a'), text(2, 'b'), text(4, 'RandomNormalLike'))
      )
    ),
  'graphs to train with': model => void model.push(message(20, message(1, evil()))),
  'operators of another domain': model => void model.push(message(8, text(1, 'com.microsoft'), int(2, 1))),
  'the standard operators twice': model => void model.push(message(8, text(1, 'ai.onnx'), int(2, 17))),
  'no set of operators': model => replace(model, inside(model, 8)),
  'no initialisers': model => {
    const graph = graphOf(model)
    for (const part of graph.filter(({ number }) => number === 5)) replace(graph, part)
  },
  'a dimension below 0': model => void graphOf(model).push(message(5, int(1, -1 >>> 0), int(2, 1), text(8, 'w'))),
  'more elements than there are': model =>
    void graphOf(model).push(
      message(5, int(1, 1000), int(2, 1), text(8, 'w'), { number: 9, wire: 2, body: Buffer.alloc(4) })
    ),
  'fewer elements than there are': model =>
    void graphOf(model).push(
      message(5, int(1, 1), int(2, 1), text(8, 'w'), { number: 9, wire: 2, body: Buffer.alloc(4000) })
    ),
  'a product of dimensions that overflows': model =>
    void graphOf(model).push(message(5, int(1, 2 ** 32), int(1, 2 ** 32), int(2, 1), text(8, 'w'))),
  'data in two fields': model =>
    void graphOf(model).push(
      message(5, int(1, 1), int(2, 1), { number: 4, wire: 2, body: Buffer.alloc(4) }, text(8, 'w'), {
        number: 9,
        wire: 2,
        body: Buffer.alloc(4)
      })
    ),
  'a part of a tensor': model =>
    void graphOf(model).push(
      message(5, int(1, 1), int(2, 1), message(3, int(1, 0), int(2, 1)), text(8, 'w'), {
        number: 9,
        wire: 2,
        body: Buffer.alloc(4)
      })
    ),
  'text as data': model => void graphOf(model).push(message(5, int(1, 1), int(2, 8), text(6, 'x'), text(8, 'w'))),
  'a Dropout that trains': model => {
    graphOf(model).push(
      message(5, int(2, 9), text(8, 'train'), { number: 9, wire: 2, body: Buffer.from([1]) }),
      message(1, text(1, 'window'), text(1, ''), text(1, 'train'), text(2, 'unread'), text(4, 'Dropout'))
    )
  },
  'a type of two kinds': model => {
    const input = inside(graphOf(model), 11).body as Part[]
    ;(inside(input, 2).body as Part[]).push(message(4))
  }
}

/** Other ways to write the same model, or more in it that changes nothing: exporters do. */
export const WAYS: Record<string, (model: Part[]) => void> = {
  'as it is': () => undefined,
  'fields in the other order': model => void model.reverse(),
  "the graph's fields in the other order but for its nodes": model => {
    const graph = graphOf(model)
    const nodes = graph.filter(({ number }) => number === 1)
    graph.splice(0, graph.length, ...graph.filter(({ number }) => number !== 1).reverse(), ...nodes)
  },
  'dimensions in a row': model => {
    const tensor = firstTensor(model)
    const dims = tensor.filter(({ number }) => number === 1)
    tensor.splice(0, dims.length, { number: 1, wire: 2, body: Buffer.concat(dims.map(({ body }) => body as Buffer)) })
  },
  'numbers one by one': model =>
    void graphOf(model).push(
      message(
        5,
        int(1, 2),
        int(2, 1),
        ...[1, 2].map(() => ({ number: 4, wire: 5, body: Buffer.alloc(4) })),
        text(8, 'w')
      ),
      message(5, int(1, 2), int(2, 7), ...[1, 2].map(value => int(7, value)), text(8, 'v'))
    ),
  'numbers in a row': model =>
    void graphOf(model).push(
      message(5, int(1, 2), int(2, 1), { number: 4, wire: 2, body: Buffer.alloc(8) }, text(8, 'w')),
      message(
        5,
        int(1, 2),
        int(2, 7),
        { number: 7, wire: 2, body: Buffer.concat([varint(1), varint(300)]) },
        text(8, 'v')
      ),
      message(5, int(1, 1), int(2, 6), { number: 5, wire: 2, body: varint(2n ** 64n - 5n) }, text(8, 'u'))
    ),
  'a scalar, and a tensor of no elements': model =>
    void graphOf(model).push(
      message(5, int(2, 1), text(8, 'w'), { number: 9, wire: 2, body: Buffer.alloc(4) }),
      message(5, int(1, 0), int(2, 1), text(8, 'v'))
    ),
  'the standard domain by name': model => {
    const imported = inside(model, 8).body as Part[]
    imported.unshift(text(1, 'ai.onnx'))
    const domain = imported.filter(({ number }) => number === 1)
    if (domain.length > 1) replace(imported, domain[1]!)
  },
  'words and notes': model => {
    model.push(
      text(3, '2.9'),
      text(4, 'cells'),
      int(5, 3),
      text(6, 'a r\u00e9sum\u00e9'),
      message(14, text(1, 'k'), text(2, 'v'))
    )
    graphOf(model).push(text(10, 'of a graph'), message(16, text(1, 'k'), text(2, 'v')))
    graphOf(model).push(message(13, text(1, 'none'), message(2, message(1, int(1, 1)))), message(14, text(1, 'none')))
    firstNode(model).push(text(6, 'of a node'), message(9, text(1, 'k'), text(2, 'v')))
    firstTensor(model).push(text(12, 'of a tensor'), int(14, 0))
  },
  devices: model => {
    model.push(message(26, text(1, 'two'), int(2, 2), text(3, 'a'), text(3, 'b')))
    firstNode(model).push(message(10, text(1, 'two'), message(2, text(1, 'window'), int(2, 0)), int(3, 1)))
  }
}
