/** Mutants that change nothing which a program could see, each with the reason. A score leaves them out. */
export interface Equivalent {
  readonly file: string
  /** The whole line in which the mutant is, without spaces at its ends. */
  readonly line: string
  readonly original: string
  readonly replacement: string
  readonly reason: string
}

export const equivalents: ReadonlyArray<Equivalent> = []
