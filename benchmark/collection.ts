/** What a contender offers to be measured: the same few functions over a representation of its own. */
export interface Collection<in out Self = any, in K = any, in V = any> {
  readonly make: () => Self
  /** For a set, whether it has the element. */
  readonly get: (self: Self, key: K) => unknown
  /** For a set, adds the element; the value is ignored. */
  readonly set: (self: Self, key: K, value: V) => unknown
  readonly remove: (self: Self, key: K) => unknown
  /** Absent where the contender has no iteration over what lives. */
  readonly iterate?: (self: Self) => Iterator<unknown>
  /** All that lives, in one loop: what an iteration of the library is compared with after collections. */
  readonly loop?: (self: Self, kept: { value: unknown }) => void
  readonly forEach?: (self: Self, f: (value: unknown) => void) => void
  /** Absent where the contender only knows to set one entry after the other. */
  readonly fromEntries?: (entries: ReadonlyArray<readonly [K, V]>) => Self
  /** Entries not yet reclaimed. */
  readonly size: (self: Self) => number
}
