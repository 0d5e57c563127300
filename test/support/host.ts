/** Skips a test on a host that does not have what the test needs, with the reason. */
import { TestRunner } from "vitest"

declare module "vitest" {
  interface TaskMeta {
    /** Why the test was skipped while it ran. */
    skipped?: string
  }
}

/** Whether the host has the modules and globals of Node. Bun and Deno have them too. */
export const hasNode = typeof process !== "undefined" && typeof Buffer !== "undefined"

export const isBun = "Bun" in globalThis

/** Whether the host is Node itself. */
export const isNode = hasNode && !isBun && !("Deno" in globalThis)

/** Whether the stack of an error begins with its message. SpiderMonkey's stacks have frames only. */
export const hasMessageInStack = new Error("a message").stack?.includes("a message") === true

/**
 * Whether Effect compares errors with their stacks. It leaves out the stack only if this is a property of the error
 * itself, and SpiderMonkey has it in the prototype.
 */
export const comparesStacks = "stack" in Error.prototype

/** Skips the test that runs now. `npm run test:engines` prints the reason. */
export const skip = (reason: string): never => {
  // The type parameter only says that there may be no test, for example while a file is loaded.
  const test = TestRunner.getCurrentTest<ReturnType<typeof TestRunner.getCurrentTest> | undefined>()
  if (test === undefined) throw new Error(`Outside of a test: ${reason}`)
  test.meta.skipped = reason
  return test.context.skip(reason)
}
