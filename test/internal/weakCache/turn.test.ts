import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { nextTurn } from "../../../src/internal/host.ts"
import { endTurn, Turn } from "../../../src/internal/weakCache/turn.ts"

/** Waits until the turn has room, as an operation of the cache does, and then demotes a value. Returns how often it waited. */
const demote = (turn: Turn, weight: number): Effect.Effect<number> =>
  Effect.suspend(() => {
    if (turn.isFull) return Effect.flatMap(endTurn, () => Effect.map(demote(turn, weight), (waits) => waits + 1))
    turn.add(weight, false)
    return Effect.succeed(0)
  })

const fill = (turn: Turn): void => {
  while (!turn.isFull) turn.add(1, false)
}

describe("Turn", () => {
  // Comes first, and ends no turn before, because the first turn of a program must end as well.
  it.live("ends by itself after a single value", () =>
    Effect.gen(function*() {
      const turn = new Turn(10)
      for (let round = 0; round < 3; round++) {
        turn.add(8, false)
        assert.isFalse(turn.isFull)
        yield* Effect.callback<void>((resume) => nextTurn(() => resume(Effect.void)))
      }
    }))

  it.live("is full after 64 values or more than the maximum weight, and has room again in the next turn", () =>
    Effect.gen(function*() {
      for (
        const [maxWeight, weight, expected] of [
          [Infinity, 1, 64],
          [10, 3, 4],
          [10, 5, 3],
          [10, 0, 64],
          [0.5, 1, 1],
          [0, 1, 64]
        ]
      ) {
        yield* endTurn
        const turn = new Turn(maxWeight!)
        let values = 0
        while (!turn.isFull) {
          turn.add(weight!, false)
          values++
        }
        assert.strictEqual(values, expected, `maxWeight ${maxWeight}, weight ${weight}`)
        yield* endTurn
        assert.isFalse(turn.isFull)
      }
    }))

  it.live("is full for all caches, and after a quarter of the values if these have resources", () =>
    Effect.gen(function*() {
      yield* endTurn
      const [first, second] = [new Turn(Infinity), new Turn(Infinity)]
      for (let values = 0; values < 8; values++) {
        first.add(1, true)
        second.add(1, true)
        assert.strictEqual(first.isFull, values === 7)
      }
      yield* endTurn
      assert.isFalse(second.isFull)
    }))

  it.live("counts the weight of each cache by itself, and of one turn only", () =>
    Effect.gen(function*() {
      yield* endTurn
      const [first, second] = [new Turn(10), new Turn(10)]
      first.add(8, false)
      second.add(8, false)
      assert.deepStrictEqual([first.isFull, second.isFull], [false, false])
      yield* endTurn
      first.add(8, false)
      assert.isFalse(first.isFull)
      first.add(8, false)
      assert.isTrue(first.isFull)
    }))

  it.live("resets without anybody waiting", () =>
    Effect.gen(function*() {
      const turn = new Turn(Infinity)
      fill(turn)
      yield* endTurn
      assert.isFalse(turn.isFull)
    }))

  it.live("admits a thousand waiting operations in order, after few waits each", () =>
    Effect.gen(function*() {
      const turn = new Turn(Infinity)
      fill(turn)
      const order: Array<number> = []
      const waits = yield* Effect.forEach(
        Array.from({ length: 1000 }, (_, i) => i),
        (i) => Effect.tap(demote(turn, 1), () => Effect.sync(() => order.push(i))),
        { concurrency: "unbounded" }
      )
      assert.isAtMost(waits.reduce((sum, n) => sum + n), 2000)
      assert.deepStrictEqual(order, Array.from({ length: 1000 }, (_, i) => i))
    }))

  it.live("forgets an interrupted operation", () =>
    Effect.gen(function*() {
      const turn = new Turn(Infinity)
      fill(turn)
      const fibers = yield* Effect.forEach(Array.from({ length: 200 }), () => Effect.forkChild(endTurn))
      yield* Effect.yieldNow
      yield* Fiber.interruptAll(fibers)
      fill(turn)
      yield* endTurn
      assert.isFalse(turn.isFull)
    }))
})
