/** Connections that go on in one turn of the event loop: each may bring a few requests, of some 60 us each. */
const A_TURN = 8

interface Waiting {
  /** called when its turn has come */
  goOn(): void
}

const waiting: Waiting[] = []

/** Lets it go on in a later turn, behind all that wait already: however many there are, the others come first in every turn. */
export function inTurn(one: Waiting): void {
  if (waiting.push(one) === 1) setImmediate(take)
}

function take(): void {
  for (const one of waiting.splice(0, A_TURN)) one.goOn()
  if (waiting.length > 0) setImmediate(take)
}
