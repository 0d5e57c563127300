/** Django's signals: receivers are methods, a connection can be limited to one sender, and the owner of a callback is the signal. */
import { assert, describe } from "@effect/vitest"
import { Effect, Exit, Option, type Scope } from "effect"
import { WeakMethod, WeakRef } from "../../src/index.ts"
import { onBothHeapsWith } from "../support/worlds.ts"

interface Connection<E> {
  readonly receiver: WeakRef.WeakRef<WeakKey>
  readonly method: WeakMethod.WeakMethod<WeakKey, [E], unknown>
  /** A shared reference serves as Python's `id`: there is one per object. */
  readonly sender: WeakRef.WeakRef<WeakKey> | undefined
  readonly callback: WeakRef.Callback
}

class Signal<E> {
  private connections: ReadonlyArray<Connection<E>> = []

  get size(): number {
    return this.connections.length
  }

  connect<K extends string, A extends { readonly [P in K]: (event: E) => unknown }>(
    receiver: A,
    key: K,
    sender?: WeakKey
  ): Effect.Effect<void, never, Scope.Scope> {
    return Effect.gen({ self: this }, function*() {
      const ref = yield* WeakRef.make<WeakKey>(receiver)
      const of = sender === undefined ? undefined : yield* WeakRef.make(sender)
      if (this.connections.some((known) => known.receiver === ref && known.sender === of)) return
      const f: (this: WeakKey, ...args: readonly [E]) => unknown = receiver[key]
      const method = yield* WeakMethod.make<WeakKey, typeof f>(receiver, f)
      const callback = yield* WeakMethod.onCollect(method, Signal.forget, { owner: this })
      this.connections = [...this.connections, { receiver: ref, method, sender: of, callback }]
    }).pipe(Effect.orDie)
  }

  /** A static function, because a closure beside the receiver would capture the receiver. */
  private static forget(
    signal: Signal<any>,
    method: WeakMethod.WeakMethod<WeakKey, never, unknown>
  ): Effect.Effect<void> {
    return Effect.sync(() => {
      signal.connections = signal.connections.filter((connection) => connection.method !== method)
    })
  }

  disconnect(receiver: WeakKey): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      const removed = this.connections.filter((connection) => WeakRef.refersTo(connection.receiver, receiver))
      this.connections = this.connections.filter((connection) => !removed.includes(connection))
      return Effect.as(Effect.forEach(removed, ({ callback }) => WeakRef.cancel(callback)), removed.length > 0)
    })
  }

  /** Django's `send_robust`: the exits of all live receivers. */
  send(sender: WeakKey, event: E): Effect.Effect<ReadonlyArray<Exit.Exit<unknown, unknown>>> {
    return Effect.suspend(() =>
      Effect.forEach(
        this.connections.filter((connection) =>
          (connection.sender === undefined || WeakRef.refersTo(connection.sender, sender)) &&
          WeakMethod.isAlive(connection.method)
        ),
        ({ method }) => Effect.exit(WeakMethod.invoke(method, event))
      )
    )
  }
}

class Model {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
  saved(event: string): string {
    return `${this.name} saw ${event}`
  }
  broken(): never {
    throw new Error("broken")
  }
}

const onBothHeaps = onBothHeapsWith((name) => new Model(name))
const values = (exits: ReadonlyArray<Exit.Exit<unknown, unknown>>) => exits.map(Exit.getSuccess)

describe("signals", () => {
  onBothHeaps("reach live receivers, and forget dead ones", (world) =>
    Effect.gen(function*() {
      const signal = new Signal<string>()
      for (const name of ["a", "b", "a"]) yield* world.with(name, (model) => signal.connect(model, "saved"))
      assert.strictEqual(signal.size, 2)
      const sender = {}
      assert.deepStrictEqual(values(yield* signal.send(sender, "x")), [Option.some("a saw x"), Option.some("b saw x")])
      yield* world.die("a")
      assert.deepStrictEqual(values(yield* signal.send(sender, "y")), [Option.some("b saw y")])
      assert.strictEqual(signal.size, 1)
    }))

  onBothHeaps("reach only the receivers of their sender, by identity", (world) =>
    Effect.gen(function*() {
      const signal = new Signal<string>()
      const [one, equal] = [{ id: 1 }, { id: 1 }]
      yield* world.with("a", (model) => signal.connect(model, "saved", one))
      assert.strictEqual((yield* signal.send(equal, "x")).length, 0)
      assert.strictEqual((yield* signal.send(one, "x")).length, 1)
    }))

  onBothHeaps(
    "disconnect the receiver itself, not an equal one, and leave no callback",
    (world) =>
      Effect.gen(function*() {
        const signal = new Signal<string>()
        yield* world.with("a", (model) => signal.connect(model, "saved"))
        assert.isFalse(yield* signal.disconnect(new Model("a")))
        assert.isTrue(yield* world.with("a", (model) => signal.disconnect(model)))
        assert.isFalse(yield* world.with("a", (model) => signal.disconnect(model)))
        yield* world.die("a")
        assert.strictEqual(signal.size, 0)
      })
  )

  onBothHeaps("a receiver that throws stops no other", (world) =>
    Effect.gen(function*() {
      const signal = new Signal<string>()
      yield* world.with("a", (model) => signal.connect(model, "broken"))
      yield* world.with("b", (model) => signal.connect(model, "saved"))
      const exits = yield* signal.send({}, "x")
      assert.deepStrictEqual(exits.map(Exit.isSuccess), [false, true])
    }))

  const onBothHeapsOf = onBothHeapsWith((): Signal<string> | Model => new Signal<string>())
  onBothHeapsOf("a dropped signal is collected, although its receivers live on", (world) =>
    Effect.gen(function*() {
      const model = new Model("kept")
      yield* world.with("signal", (signal) =>
        signal instanceof Signal ? signal.connect(model, "saved") : Effect.die("no signal"))
      yield* world.die("signal")
      assert.strictEqual(model.saved("x"), "kept saw x")
    }))
})
