/** Keys that try a table. */
import { Equal, Hash } from "effect"
import { runInNewContext } from "node:vm"

/** Equal where the ids are, and all hashes collide. */
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

/** Runs foreign code whenever another object is compared with it. */
export class Meddling extends Colliding {
  meddle: () => void = () => {}

  override [Equal.symbol](that: unknown): boolean {
    this.meddle()
    return super[Equal.symbol](that)
  }
}

/** Its hash throws, and so does what compares by structure. */
export class Unhashable {
  [Hash.symbol](): number {
    throw new Error("hashed")
  }
}

/** Counts how often it is hashed: Effect remembers the hash of other objects, but never that of a date. */
export class HashSpy extends Date {
  hashes = 0

  override toISOString(): string {
    this.hashes++
    return super.toISOString()
  }
}

/** Whatever is done to it throws, unless it is only held and compared by identity. */
export const hostile = (): any =>
  new Proxy(
    {},
    new Proxy({}, {
      get(_, trap) {
        throw new Error(`touched by ${String(trap)}`)
      }
    })
  )

/** An object that reaches itself. */
export const cyclic = (id: number): object => {
  const self: { readonly id: number; self?: unknown } = { id }
  self.self = self
  return self
}

/** What the code evaluates to in a realm of its own. */
export const foreign = (code: string): any => runInNewContext(code)
