/** A stand-in that forwards to its referent: to come. */
export type WeakProxy<A extends object> = A
