import t from 'tap'
import { SmallPieces } from '../../../../src/server/http/small-pieces.js'

const BODY = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251))

/** The pieces that come of a body in pieces of these sizes, in turn. */
function passedOn(sizes: number[]): Buffer[] {
  const taken: Buffer[] = []
  const pieces = new SmallPieces(piece => taken.push(piece))
  for (let at = 0, turn = 0; at < BODY.length; turn++) {
    const size = sizes[turn % sizes.length]!
    pieces.add(BODY.subarray(at, (at += size)))
  }
  pieces.flush()
  return taken
}

t.test('whatever the sizes of its pieces, a body stays what it is, and is kept in few', async t => {
  for (const sizes of [[1], [7], [1023], [1, 2000], [1, 1, 5000, 1], [1500, 3], [16_384], [100_000]]) {
    const taken = passedOn(sizes)
    t.ok(Buffer.concat(taken).equals(BODY), sizes.join())
    t.ok(taken.length <= 2 * (100_000 / 1024) + 1, `${taken.length} pieces of ${sizes.join()}`)
  }
})

t.test('a piece that is alone is passed on as it came, small or not', async t => {
  for (const piece of [Buffer.from('{}'), BODY]) {
    const taken: Buffer[] = []
    const pieces = new SmallPieces(one => taken.push(one))
    pieces.add(piece)
    pieces.flush()
    pieces.flush()
    t.equal(taken.length, 1)
    t.equal(taken[0], piece)
  }
})

t.test('what is put together is not written over later', async t => {
  const taken: Buffer[] = []
  const pieces = new SmallPieces(piece => taken.push(piece))
  for (const text of ['a', 'b']) {
    for (const part of [text, text]) pieces.add(Buffer.from(part))
    pieces.flush()
  }
  t.same(taken.map(String), ['aa', 'bb'])
})

t.test('what is dropped is passed on to nobody', async t => {
  const taken: Buffer[] = []
  const pieces = new SmallPieces(piece => taken.push(piece))
  for (const part of ['a', 'b']) pieces.add(Buffer.from(part))
  pieces.drop()
  pieces.add(Buffer.from('c'))
  pieces.flush()
  t.same(taken.map(String), ['c'])
})
