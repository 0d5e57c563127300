/** Blinker: named signals that exist while somebody uses them, and receivers for one sender or for any. */
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { WeakKeyMap, WeakListeners, WeakValueMap } from "../../src/index.ts"
import { type Named, onBothHeaps, onBothHeapsWith } from "../support/worlds.ts"

interface Sent<E> {
  readonly sender: WeakKey
  readonly event: E
}

class Signal<E> {
  private readonly any: WeakListeners.WeakListeners<Sent<E>>
  /** A sender's receivers go with the sender. */
  private readonly bySender: WeakKeyMap.WeakKeyMap<WeakKey, WeakListeners.WeakListeners<Sent<E>>>

  constructor(any: WeakListeners.WeakListeners<Sent<E>>, bySender: Signal<E>["bySender"]) {
    this.any = any
    this.bySender = bySender
  }

  static make<E>(): Effect.Effect<Signal<E>> {
    return Effect.zipWith(
      WeakListeners.make<Sent<E>>(),
      WeakKeyMap.make<WeakKey, WeakListeners.WeakListeners<Sent<E>>>(),
      (any, bySender) => new Signal<E>(any, bySender)
    )
  }

  connect<A extends WeakKey>(receiver: A, f: (receiver: A, sent: Sent<E>) => void, sender?: WeakKey) {
    return Effect.gen({ self: this }, function*() {
      if (sender === undefined) return yield* WeakListeners.add(this.any, receiver, f)
      const made = yield* WeakListeners.make<Sent<E>>()
      const hub = WeakKeyMap.getOrSet(this.bySender, sender, () => made)
      return yield* WeakListeners.add(hub, receiver, f)
    })
  }

  /** Blinker's `connected_to`: connects a receiver while an effect runs. */
  connectedTo<A extends WeakKey>(receiver: A, f: (receiver: A, sent: Sent<E>) => void) {
    return <B, E2, R>(effect: Effect.Effect<B, E2, R>) =>
      Effect.acquireUseRelease(
        this.connect(receiver, f),
        () => effect,
        (listener) => Effect.sync(() => WeakListeners.stop(listener))
      )
  }

  send(sender: WeakKey, event: E): Effect.Effect<void> {
    const sent = { sender, event }
    return Effect.andThen(
      Effect.suspend(() => WeakListeners.publish(this.any, sent)),
      Effect.suspend(() => {
        const hub = WeakKeyMap.get(this.bySender, sender)
        return hub._tag === "Some" ? WeakListeners.publish(hub.value, sent) : Effect.void
      })
    )
  }

  get senders(): number {
    return WeakKeyMap.size(this.bySender)
  }
}

const logTo = (log: Array<string>) => (receiver: Named, { event }: Sent<string>) =>
  void log.push(`${receiver.name} ${event}`)

describe("blinker", () => {
  onBothHeaps("receivers of any sender and of one sender", (world) =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const signal = yield* Signal.make<string>()
      yield* world.with("a", (a) => signal.connect(a, logTo(log)))
      yield* world.withAll(["b", "sender"], ([b, sender]) => signal.connect(b!, logTo(log), sender))
      yield* world.with("sender", (sender) => signal.send(sender, "1"))
      yield* signal.send({}, "2")
      assert.deepStrictEqual(log.splice(0), ["a 1", "b 1", "a 2"])
      yield* world.die("b")
      yield* world.with("sender", (sender) => signal.send(sender, "3"))
      assert.deepStrictEqual(log, ["a 3"])
      assert.strictEqual(signal.senders, 1)
      yield* world.die("sender")
      assert.strictEqual(signal.senders, 0)
    }))

  onBothHeaps("a receiver that is connected while an effect runs", (world) =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const signal = yield* Signal.make<string>()
      yield* world.with("a", (a) => signal.send({}, "inside").pipe(signal.connectedTo(a, logTo(log))))
      yield* signal.send({}, "outside")
      assert.deepStrictEqual(log, ["a inside"])
      yield* world.die("a")
    }))

  const onBothHeapsOfNames = onBothHeapsWith((name): { readonly name: string } => ({ name }))
  onBothHeapsOfNames("a namespace has one signal per name, while somebody uses it", (world) =>
    Effect.gen(function*() {
      const namespace = yield* WeakValueMap.make<string, { readonly name: string }>()
      const signal = (name: string) => world.sync(name, (made) => WeakValueMap.getOrSet(namespace, name, () => made))
      // JavaScriptCore would keep a signal that this generator has seen.
      assert.isTrue(yield* Effect.zipWith(signal("saved"), signal("saved"), (a, b) => a === b))
      assert.strictEqual(WeakValueMap.size(namespace), 1)
      yield* world.die("saved")
      assert.strictEqual(WeakValueMap.size(namespace), 0)
    }))
})
