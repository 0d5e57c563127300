/** `multiprocessing.util.Finalize`, whose finalizers have priorities at exit, and `TemporaryDirectory`. */
import { assert, describe } from "@effect/vitest"
import { Effect, type Exit, Scope } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Finalizer } from "../../src/index.ts"
import { onBothHeaps, onBothHeapsWith } from "../support/worlds.ts"

/** A Scope closes its finalizers newest first. Priorities need a Scope of their own, which closes before the rest. */
class ExitOrder {
  private readonly scopes = new Map<number, Scope.Closeable>()

  static make: Effect.Effect<ExitOrder, never, Scope.Scope> = Effect.acquireRelease(
    Effect.sync(() => new ExitOrder()),
    (order, exit) => order.close(exit)
  )

  scope(priority: number): Scope.Scope {
    let scope = this.scopes.get(priority)
    if (scope === undefined) this.scopes.set(priority, scope = Scope.makeUnsafe())
    return scope
  }

  private close(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    const byPriority = Array.from(this.scopes).sort(([a], [b]) => b - a)
    return Effect.forEach(byPriority, ([, scope]) => Scope.close(scope, exit), { discard: true })
  }
}

const record = ([log, name]: readonly [Array<string>, string]) => Effect.sync(() => void log.push(name))

describe("Finalize", () => {
  onBothHeaps("runs on collection, or at exit by priority, and only once", (world) =>
    Effect.gen(function*() {
      const log: Array<string> = []
      yield* Effect.gen(function*() {
        const order = yield* ExitOrder.make
        for (const [name, priority] of [["low", 1], ["high", 10], ["high too", 10], ["dead", 5]] as const) {
          yield* world.with(name, (target) =>
            Scope.provide(Finalizer.makeWith(target, [log, name] as const, record), order.scope(priority)))
        }
        yield* world.die("dead")
        assert.deepStrictEqual(log, ["dead"])
      }).pipe(Effect.scoped)
      assert.deepStrictEqual(log, ["dead", "high too", "high", "low"])
    }))

  onBothHeaps("can be cancelled and called", (world) =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const cancelled = yield* world.with("a", (a) => Finalizer.makeWith(a, [log, "a"] as const, record))
      const called = yield* world.with("b", (b) => Finalizer.makeWith(b, [log, "b"] as const, record))
      assert.isTrue(yield* Finalizer.cancel(cancelled))
      yield* Finalizer.run(called)
      yield* world.die("a", "b")
      assert.deepStrictEqual(log, ["b"])
    }))
})

class TemporaryDirectory {
  path = ""
  private finalizer: Finalizer.Finalizer<TemporaryDirectory> | undefined

  open(warnings: Array<string>): Effect.Effect<string, never, Scope.Scope> {
    return Effect.gen({ self: this }, function*() {
      this.path = fs.mkdtempSync(path.join(os.tmpdir(), "port-"))
      this.finalizer = yield* Finalizer.makeWith(this, [this.path, warnings] as const, removeImplicitly)
      return this.path
    }).pipe(Effect.orDie)
  }

  get cleanup(): Effect.Effect<void> {
    return Effect.suspend(() => Finalizer.cancel(this.finalizer!)).pipe(
      Effect.andThen(Effect.sync(() => remove(this.path)))
    )
  }
}

const remove = (directory: string): void => fs.rmSync(directory, { recursive: true, force: true })

const removeImplicitly = ([directory, warnings]: readonly [string, Array<string>]) =>
  Effect.sync(() => {
    warnings.push(`Implicitly cleaning up ${directory}`)
    remove(directory)
  })

describe("TemporaryDirectory", () => {
  const onBothHeaps = onBothHeapsWith(() => new TemporaryDirectory())

  onBothHeaps("is removed with a warning after its object has been collected", (world) =>
    Effect.gen(function*() {
      const warnings: Array<string> = []
      const directory = yield* world.with("a", (a) => a.open(warnings))
      fs.writeFileSync(path.join(directory, "file"), "text")
      yield* world.die("a")
      assert.isFalse(fs.existsSync(directory))
      assert.deepStrictEqual(warnings, [`Implicitly cleaning up ${directory}`])
    }))

  onBothHeaps("is removed by hand without a warning", (world) =>
    Effect.gen(function*() {
      const warnings: Array<string> = []
      const directory = yield* world.with("a", (a) => a.open(warnings))
      yield* world.with("a", (a) => a.cleanup)
      assert.isFalse(fs.existsSync(directory))
      yield* world.die("a")
      assert.deepStrictEqual(warnings, [])
    }))

  onBothHeaps("is removed at the end of the Scope", (world) =>
    Effect.gen(function*() {
      const warnings: Array<string> = []
      const directory = yield* Effect.scoped(world.with("a", (a) => a.open(warnings)))
      assert.isFalse(fs.existsSync(directory))
      yield* world.die("a")
      assert.strictEqual(warnings.length, 1)
    }))
})
