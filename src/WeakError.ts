/**
 * Defines the errors that the operations of this library raise.
 *
 * Effectful functions fail with these errors, and synchronous functions throw them. Use
 * `Effect.catchTag` to recover from one of them. A function that fails with such an error
 * has inserted and registered nothing. Creating an error costs microseconds, because the
 * engine captures the stack.
 *
 * @stability stable
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import { printed } from "./internal/print.ts"

/**
 * Reports that a value cannot be weakly referenced.
 *
 * **When to use**
 *
 * Use to recover if the values come from outside the program, for example from parsed
 * JSON.
 *
 * **Details**
 *
 * `value` is the value that was passed, and the message shows its first 100 characters.
 *
 * `WeakMethod.make` also fails with this error if the method is not a function. Then
 * `expected` is `"function"`, `value` is the value that is not a function, and `property`
 * is the key if a key was passed.
 *
 * Python raises `TypeError: cannot create weak reference to 'int' object` in this case.
 *
 * **Example** (Passing a string)
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
 * @see {@link DeadReferenceError} for a referent that has been collected
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class NotWeakReferenceableError extends Data.TaggedError("NotWeakReferenceableError")<{
  readonly value: unknown
  readonly expected?: "function" | undefined
  readonly property?: PropertyKey | undefined
  readonly message: string
}> {
  constructor(fields: {
    readonly value: unknown
    readonly expected?: "function" | undefined
    readonly property?: PropertyKey | undefined
    readonly message?: string | undefined
  }) {
    super({ ...fields, message: fields.message ?? notReferenceable(fields) })
  }
}

// The messages are computed when the errors are made, because most engines build `stack` at that time.
const notReferenceable = ({ expected, value }: { readonly value: unknown; readonly expected?: unknown }): string => {
  const problem = expected === "function"
    ? "is not a method: pass the key of a method, or a function"
    : `cannot be weakly referenced here: pass an object${
      isFreshSymbol(value) ? " or a function" : ", a function, or a symbol that was not made by Symbol.for"
    }`
  return `${printed(value)} ${problem}`
}

// Weak proxies and older engines reject every symbol. Do not recommend a symbol if the value is one.
const isFreshSymbol = (value: unknown): boolean => typeof value === "symbol" && Symbol.keyFor(value) === undefined

/**
 * Reports that the referent of a weak reference has been collected.
 *
 * **When to use**
 *
 * Use to recover if the program uses an object whose lifetime other code decides.
 *
 * **Details**
 *
 * `kind` is the type whose operation failed, and `property` is the property that the
 * program used, if the operation used a property of a `WeakProxy`. The message names the
 * functions that avoid the error.
 *
 * Python raises `ReferenceError: weakly-referenced object no longer exists` in this case.
 *
 * **Example** (Dereferencing a dead reference)
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
 * const error = Effect.runSync(program)
 * error._tag // => "DeadReferenceError"
 * error.kind // => "WeakRef"
 * ```
 *
 * @see {@link NotWeakReferenceableError} for a value that cannot be a referent
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class DeadReferenceError extends Data.TaggedError("DeadReferenceError")<{
  readonly kind?: ReferenceKind | undefined
  readonly property?: PropertyKey | undefined
  readonly message: string
}> {
  constructor(fields: {
    readonly kind?: ReferenceKind | undefined
    readonly property?: PropertyKey | undefined
    readonly message?: string | undefined
  } = {}) {
    super({ ...fields, message: fields.message ?? collected(fields) })
  }
}

const collected = ({ kind, property }: {
  readonly kind?: ReferenceKind | undefined
  readonly property?: PropertyKey | undefined
}): string => {
  switch (kind) {
    case "WeakRef": {
      return "The referent of this WeakRef has been collected: hold it with WeakRef.use or WeakRef.pin, or call WeakRef.deref, which returns an Option"
    }
    case "WeakProxy": {
      const what = property === undefined ? "use this WeakProxy" : `access ${printed(property)}`
      return `Cannot ${what}: the referent of the WeakProxy has been collected. Hold it with WeakProxy.use, or call WeakProxy.deref, which returns an Option`
    }
    case "WeakMethod": {
      return "The receiver or the function of this WeakMethod has been collected: hold both for as long as you use the method, or call WeakMethod.deref, which returns an Option"
    }
    default: {
      return "The referent of a weak reference has been collected: hold the referent for as long as you use the weak reference"
    }
  }
}

/**
 * Lists the types of this library whose operations fail with a
 * {@link DeadReferenceError}.
 *
 * **When to use**
 *
 * Use to check which type an error comes from.
 *
 * @see {@link DeadReferenceError} for the error
 *
 * @category models
 * @stability stable
 * @since 0.1.0
 */
export type ReferenceKind = "WeakRef" | "WeakProxy" | "WeakMethod"

/**
 * Reports that a weak proxy cannot be hashed, or that a dead reference has no hash,
 * because none was computed while its referent was alive.
 *
 * **When to use**
 *
 * Use to recover if the program compares references that may be dead, or inserts them
 * into hashed collections.
 *
 * **Details**
 *
 * Python raises `TypeError: weak object has gone away` for a reference, and
 * `TypeError: unhashable type: 'weakref.ProxyType'` for a proxy.
 *
 * **Gotchas**
 *
 * `Equal.equals` hashes its arguments first, so it may throw this error, too.
 * `WeakRef.equals`, `WeakMethod.equals` and `WeakProxy.equals` compare the referents, and
 * do not hash their arguments.
 *
 * **Example** (Hashing a dead reference)
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
 * @see {@link DeadReferenceError} for the error of other operations on a dead reference
 *
 * @category errors
 * @stability stable
 * @since 0.1.0
 */
export class UnhashableError extends Data.TaggedError("UnhashableError")<{ readonly message: string }> {
  constructor() {
    super({ message: "No hash: hash a weak reference before its referent is collected, and never hash a weak proxy" })
  }
}
