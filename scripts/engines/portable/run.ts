/** Runs the tests of the core suite. Part of the bundle. */
export type Test = readonly [name: string, run: () => unknown]

export interface Result {
  readonly name: string
  /** Why the test failed, or `undefined` if it passed. */
  readonly error?: string
}

export const runOne = async ([name, run]: Test): Promise<Result> => {
  try {
    await run()
    return { name }
  } catch (error) {
    return { name, error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) }
  }
}

export const runAll = async (tests: ReadonlyArray<Test>): Promise<ReadonlyArray<Result>> => {
  const results: Array<Result> = []
  for (const test of tests) results.push(await runOne(test))
  return results
}
