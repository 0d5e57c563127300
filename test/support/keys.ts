/** Keys with unusual hashes and comparisons, for tests of the collections. */
import { Equal, Hash } from "effect"
import { runInNewContext } from "node:vm"

/** Equal if the ids are equal. All instances have the same hash. */
export class Colliding {
  readonly id: number

  constructor(id: number) {
    this.id = id
  }

  [Equal.symbol](that: unknown): boolean {
    return that instanceof Colliding && that.id === this.id
  }

  [Hash.symbol](): number {
    return 7
  }
}

/** Calls `meddle` each time that it is compared. */
export class Meddling extends Colliding {
  meddle: () => void = () => {}

  override [Equal.symbol](that: unknown): boolean {
    this.meddle()
    return super[Equal.symbol](that)
  }
}

/** Throws when it is hashed, so structural comparison throws too. */
export class Unhashable {
  [Hash.symbol](): number {
    throw new Error("hashed")
  }
}

/** Counts how often it is hashed. It extends `Date`, because Effect does not remember the hash of a date. */
export class HashSpy extends Date {
  hashes = 0

  override toISOString(): string {
    this.hashes++
    return super.toISOString()
  }
}

/** Creates an object that throws on every access. A test may only hold it and compare it by identity. */
export const hostile = (): any =>
  new Proxy(
    {},
    new Proxy({}, {
      get(_, trap) {
        throw new Error(`touched by ${String(trap)}`)
      }
    })
  )

/** Creates an object that refers to itself. */
export const cyclic = (id: number): object => {
  const self: { readonly id: number; self?: unknown } = { id }
  self.self = self
  return self
}

/** Evaluates code in a new realm. */
export const foreign = (code: string): any => runInNewContext(code)
