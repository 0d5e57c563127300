/**
 * Compares `WeakMemo` with reselect's `weakMapMemoize` and with Effect's
 * `Atom.family`: nanoseconds per call, and ratios. Run it with
 * `node benchmark/memo.ts [rounds]`.
 *
 * Each measurement runs in its own process. The contenders take turns, so that a
 * busy machine slows all of them. A ratio compares two contenders in one round.
 */
import * as Data from "effect/Data"
import { family as atomFamily } from "effect/reactivity/Atom"
import { execFileSync } from "node:child_process"
import { weakMapMemoize } from "reselect"
import * as WeakMemo from "../src/WeakMemo.ts"

type Memoize = (f: (...args: ReadonlyArray<any>) => unknown) => (...args: ReadonlyArray<any>) => unknown
type Family = (f: (key: any) => object) => (key: any) => object

const perTurn = 1000
const turns = 400

/** Prepares the calls 0 to `perTurn` - 1. Each turn makes them in this order. */
interface Task<Make> {
  readonly contenders: Readonly<Record<string, Make>>
  readonly prepare: (make: Make) => (i: number) => unknown
}

const memoizers: Readonly<Record<string, Memoize>> = {
  WeakMemo: (f) => WeakMemo.memoize(f, { capacity: 10_000 }),
  reselect: (f) => weakMapMemoize(f),
  "reselect, bounded": (f) => weakMapMemoize(f, { maxSize: 10_000 })
}

const families: Readonly<Record<string, Family>> = {
  WeakMemo: WeakMemo.family,
  "Atom.family": atomFamily
}

const objects = Array.from({ length: perTurn }, (_, i) => ({ i }))
class Key extends Data.Class<{ readonly id: number }> {}

const memo = (prepare: Task<Memoize>["prepare"]): Task<Memoize> => ({ contenders: memoizers, prepare })
const family = (prepare: Task<Family>["prepare"]): Task<Family> => ({ contenders: families, prepare })

/** Keeps the values of a family alive. */
const held: Array<unknown> = []

const tasks: Readonly<Record<string, Task<any>>> = {
  "memoize: one object": memo((make) => {
    const f = make((a) => ({ a }))
    return (i) => f(objects[i])
  }),
  "memoize: two objects": memo((make) => {
    const f = make((a, b) => ({ a, b }))
    return (i) => f(objects[i], objects[0])
  }),
  "memoize: an object and a number": memo((make) => {
    const f = make((a, n) => ({ a, n }))
    return (i) => f(objects[i], i)
  }),
  "memoize: a number": memo((make) => {
    const f = make((n) => ({ n }))
    return (i) => f(i)
  }),
  "memoize: a new object": memo((make) => {
    const f = make((a) => ({ a }))
    return (i) => f({ i })
  }),
  "family: a string": family((make) => {
    const f = make((key) => ({ key }))
    const keys = objects.map((_, i) => `key-${i}`)
    held.push(keys.map(f))
    return (i) => f(keys[i])
  }),
  "family: an equal key": family((make) => {
    const f = make((key) => ({ key }))
    held.push(objects.map((_, id) => f(new Key({ id }))))
    return (id) => f(new Key({ id }))
  }),
  "family: a new key": family((make) => {
    const f = make((key) => ({ key }))
    let n = 0
    return () => f(`key-${n++}`)
  })
}

const conditions = ["warm", "after a full collection"]

let kept: unknown

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

const measure = async (task: Task<any>, contender: string, collects: boolean): Promise<number> => {
  const call = task.prepare(task.contenders[contender])
  const times: Array<number> = []
  for (let turn = 0; turn < turns; turn++) {
    // Every tenth turn, a collection runs. In the next turns, the engine has to repeat work such as optimizing.
    if (collects && turn % 10 === 0) globalThis.gc!()
    await new Promise((resolve) => setImmediate(resolve))
    const start = performance.now()
    for (let i = 0; i < perTurn; i++) kept = call(i)
    times.push((performance.now() - start) * 1e6 / perTurn)
  }
  // Skips the first turns, which compile. After collections, uses the mean, because only few turns are slow.
  const counted = times.slice(turns / 4)
  return collects ? counted.reduce((sum, time) => sum + time, 0) / counted.length : median(counted)
}

const inOwnProcess = (task: string, contender: string, condition: string): number =>
  Number(execFileSync(process.execPath, ["--expose-gc", import.meta.filename, "child", task, contender, condition]))

const main = (rounds: number): void => {
  for (const condition of conditions) {
    console.log(`\n${condition}, median of ${rounds} processes:`)
    for (const [task, { contenders }] of Object.entries(tasks)) {
      const times = new Map(Object.keys(contenders).map((contender) => [contender, [] as Array<number>]))
      for (let round = 0; round < rounds; round++) {
        for (const [contender, values] of times) values.push(inOwnProcess(task, contender, condition))
      }
      const ours = times.get("WeakMemo")!
      const columns = Array.from(times, ([contender, values]) => {
        const nanoseconds = `${contender} ${median(values).toFixed(0)} ns`
        if (values === ours) return nanoseconds
        const ratios = ours.map((time, round) => time / values[round]!)
        const [least, most] = [Math.min(...ratios), Math.max(...ratios)]
        return `${nanoseconds}, ratio ${median(ratios).toFixed(2)} (${least.toFixed(2)} – ${most.toFixed(2)})`
      })
      console.log(`  ${task.padEnd(32)} ${columns.join("; ")}`)
    }
  }
}

const [mode, task, contender, condition] = process.argv.slice(2)
if (mode === "child") {
  console.log(await measure(tasks[task!]!, contender!, condition === conditions[1]))
  void kept
} else {
  main(Number(mode ?? 5))
}
