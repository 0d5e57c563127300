/** Returns what a guard finds. A dead weak proxy or a revoked proxy throws when it is tested, and is not found. */
export const guard = (test: () => boolean): boolean => {
  try {
    return test()
  } catch {
    return false
  }
}
