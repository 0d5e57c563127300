/** Runs the tests of the core suite one after the other. Part of the bundle. */
export type Test = readonly [name: string, run: () => unknown]

export interface Result {
  readonly name: string
  /** Why the test failed, or `undefined` if it passed. */
  readonly error?: string
}

export const start = async (tests: ReadonlyArray<Test>): Promise<ReadonlyArray<Result>> => {
  const results: Array<Result> = []
  for (const [name, run] of tests) {
    try {
      await run()
      results.push({ name })
    } catch (error) {
      results.push({ name, error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) })
    }
  }
  return results
}
