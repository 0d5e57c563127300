/**
 * Recognizes values of Effect without importing the modules that make them, which would
 * add their code to every bundle. Effect does not promise that the ids stay as they are:
 * `test/internal/effectIds.test.ts` fails if a version of Effect changes them.
 */

/** Checks whether a value is a `Result`. Importing `Result.isResult` would add 300 bytes. */
export const isResult = (value: object): value is { readonly success: unknown } | { readonly failure: unknown } =>
  "~effect/Result" in value
