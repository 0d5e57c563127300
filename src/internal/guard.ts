/** Returns the result of `test`, or `false` if `test` throws. Testing a dead weak proxy or a revoked proxy throws. */
export const guard = (test: () => boolean): boolean => {
  try {
    return test()
  } catch {
    return false
  }
}
