/** The parts of a contender that are measured. Only types, and below the measures and the contenders, which both use them. */

/** The functions of a contender that are measured. Each contender has its own representation. */
export interface Collection<in out Self = any, in K = any, in V = any> {
  readonly make: () => Self
  /** For a set, returns whether it has the element. */
  readonly get: (self: Self, key: K) => unknown
  /** For a set, adds the element, and ignores the value. */
  readonly set: (self: Self, key: K, value: V) => unknown
  readonly remove: (self: Self, key: K) => unknown
  /** Absent if the contender cannot iterate over its live entries. */
  readonly iterate?: (self: Self) => Iterator<unknown>
  /** Visits all live entries in one loop. The measure "after collections" compares the library's iteration with it. */
  readonly loop?: (self: Self, kept: { value: unknown }) => void
  readonly forEach?: (self: Self, f: (value: unknown) => void) => void
  /** Returns the number of entries, including dead entries whose clean-up has not run. */
  readonly size: (self: Self) => number
  /** Set if the contender keeps its entries alive, so that they do not die with the caller's. */
  readonly holds?: boolean
}

export interface Finalizers<in out Owner = any, in out Handle = any> {
  readonly open: () => Owner
  readonly make: (
    owner: Owner,
    targets: ReadonlyArray<object>,
    release: () => void,
    handles: Array<Handle>,
    from: number,
    to: number
  ) => void
  readonly run?: (owner: Owner, handles: ReadonlyArray<Handle>, from: number, to: number) => void
  readonly close: (owner: Owner) => void
}

export interface Proxies {
  readonly make: <A extends object>(target: A) => A
  readonly makeFunction: <F extends (...args: Array<never>) => unknown>(target: F) => F
}

export interface References<in out Ref = any> {
  readonly make: (target: object) => Ref
  readonly deref: (self: Ref) => unknown
}
