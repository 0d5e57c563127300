/** Functions of the event loop and of the collector, for measurements. */

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Forces a full collection in a new turn, and returns its milliseconds. The last turn's targets are no longer kept. */
export const collect = async (): Promise<number> => {
  await turn()
  const start = performance.now()
  globalThis.gc!()
  return performance.now() - start
}

const bytesInUse = async (): Promise<number> => {
  for (let round = 0; round < 3; round++) {
    await collect()
    await turn()
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Collects until a collection frees no more, and returns the bytes in use. Clean-ups may take many turns. */
export const heapInUse = async (): Promise<number> => {
  let bytes = await bytesInUse()
  for (let round = 0; round < 20; round++) {
    // A timer, because clean-ups that wait for a later turn use timers too.
    await new Promise((resolve) => setTimeout(resolve, 5))
    const before = bytes
    bytes = await bytesInUse()
    if (bytes > before - 10_000) break
  }
  return bytes
}

/** Does `n` small things, a thousand a turn, as an event loop does. */
export const inTurns = async (n: number, f: (i: number) => void): Promise<void> => {
  for (let from = 0; from < n; from += 1000) {
    const to = Math.min(n, from + 1000)
    for (let i = from; i < to; i++) f(i)
    await turn()
  }
}

export interface Drain {
  /** The time until the end, in milliseconds. */
  readonly time: number
  /** The longest turn of the event loop, in milliseconds. */
  readonly longestTurn: number
}

/** Runs turns of the event loop until `isDone` returns true, and measures the turns. */
export const drain = async (isDone: () => boolean, limit = 60_000): Promise<Drain> => {
  const start = performance.now()
  let last = start
  let longestTurn = 0
  while (!isDone()) {
    await turn()
    const now = performance.now()
    longestTurn = Math.max(longestTurn, now - last)
    last = now
    if (now - start > limit) throw new Error(`Not drained after ${limit} ms`)
  }
  return { time: last - start, longestTurn }
}
