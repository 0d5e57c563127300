/**
 * Runs many functions of Effect, as an application does. All functions that `dual` makes share the code that calls
 * their bodies. If only the functions under test ran, the engine would optimize this code for them.
 */
import * as MutableHashMap from "effect/MutableHashMap"
import * as Option from "effect/Option"

const map = MutableHashMap.empty<number, number>()

export const runProgram = (): void => {
  for (let i = 0; i < 20_000; i++) {
    const some = Option.some(i)
    Option.map(some, (n) => n + 1)
    Option.flatMap(some, Option.some)
    Option.filter(some, (n) => n > 0)
    Option.orElse(some, Option.none)
    Option.getOrElse(some, () => 0)
    Option.zipWith(some, some, (a, b) => a + b)
    Option.match(some, { onNone: () => 0, onSome: (n) => n })
    MutableHashMap.set(map, i % 10, i)
    MutableHashMap.get(map, i % 10)
    MutableHashMap.has(map, i % 10)
    MutableHashMap.modify(map, i % 10, (n) => n + 1)
    MutableHashMap.modifyAt(map, i % 10, Option.map((n) => n + 1))
    MutableHashMap.remove(map, i % 20)
  }
}
