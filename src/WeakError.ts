/**
 * The errors of this library.
 *
 * Effectful functions fail with them, synchronous ones throw the same values.
 * Nothing is inserted, registered or half-built when one is raised.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import { format } from "effect/Formatter"

/**
 * A primitive or a registered symbol where a referent is needed.
 *
 * **Details**
 *
 * Python raises `TypeError: cannot create weak reference to 'int' object` here.
 *
 * **Example** (A string cannot be weakly referenced)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 *
 * // @ts-expect-error: rejected at compile time already
 * const error = Effect.runSync(Effect.flip(WeakRef.make("text")))
 *
 * error._tag // => "NotWeakReferenceableError"
 * error.value // => "text"
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class NotWeakReferenceableError extends Data.TaggedError("NotWeakReferenceableError")<{
  readonly value: unknown
}> {
  override get message(): string {
    return `${
      format(this.value)
    } cannot be weakly referenced here: give an object or a function, or for a reference, key or element a symbol not made by Symbol.for`
  }
}

/**
 * The referent has been collected.
 *
 * **Details**
 *
 * Python raises `ReferenceError: weakly-referenced object no longer exists`.
 *
 * **Example** (A dead reference)
 *
 * ```ts import.meta.vitest
 * import { Effect } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const referent = { name: "Ada" }
 *   const ref = yield* WeakRef.make(referent)
 *   yield* TestHeap.collect(referent)
 *   return yield* Effect.flip(WeakRef.get(ref))
 * }).pipe(Effect.provide(TestHeap.layer))
 *
 * Effect.runSync(program)._tag // => "DeadReferenceError"
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class DeadReferenceError extends Data.TaggedError("DeadReferenceError")<{}> {
  override get message(): string {
    return "The referent has been collected: hold it with use or pin, or dereference to an Option"
  }
}

/**
 * The first hash of a dead reference, or any hash of a proxy.
 *
 * **Details**
 *
 * Python raises `TypeError: weak object has gone away` for the first, and
 * `TypeError: unhashable type: 'weakref.ProxyType'` for the second.
 *
 * **Gotchas**
 *
 * `Equal.equals` hashes both of its arguments first, so it throws this error
 * too. `WeakRef.equals` and `WeakProxy.equals` never hash a dead reference.
 *
 * **Example** (A hash first taken after death)
 *
 * ```ts import.meta.vitest
 * import { Effect, Hash } from "effect"
 * import { WeakRef } from "effect-weakref"
 * import { TestHeap } from "effect-weakref/testing"
 *
 * const program = Effect.gen(function*() {
 *   const referent = {}
 *   const ref = yield* WeakRef.make(referent)
 *   yield* TestHeap.collect(referent)
 *   return ref
 * }).pipe(Effect.provide(TestHeap.layer))
 *
 * const dead = Effect.runSync(program)
 * Hash.hash(dead) // => throws UnhashableError
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class UnhashableError extends Data.TaggedError("UnhashableError")<{}> {
  override get message(): string {
    return "No hash: hash a reference before its referent is collected, and never a proxy"
  }
}
