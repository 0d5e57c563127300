/**
 * Runs a law as a fast-check property. The property records each step in a trace,
 * so that the report of a failure reads like a program.
 */
import { format } from "effect/Formatter"
import * as fc from "fast-check"

/** A law before `Laws` turns its failure into a `LawError`. */
export interface Check {
  readonly name: string
  readonly run: (options: Options, signal: Signal) => Promise<Failure | undefined>
}

/** The part of an `AbortSignal` that a law needs. Not every host has a type for `AbortSignal`. */
interface Signal {
  readonly aborted: boolean
}

export interface Options {
  readonly numRuns?: number | undefined
  readonly seed?: number | undefined
  readonly path?: string | undefined
}

export interface Failure {
  readonly counterexample: unknown
  readonly trace: ReadonlyArray<string>
  readonly seed: number
  readonly path: string
  readonly cause: unknown
}

class Violation extends Error {
  readonly trace: ReadonlyArray<string>

  constructor(trace: ReadonlyArray<string>, cause: unknown) {
    super(trace.join("\n"), { cause })
    this.trace = trace
  }
}

/** The steps of one run, and the names of the values that occur in them. */
export class Trace {
  private readonly lines: Array<string> = []
  private readonly names = new Map<unknown, string>()
  /** The positions in `lines` that only introduce a name. A report leaves them out if no step uses the name. */
  private readonly declarations = new Map<number, string>()

  /** Names a value in the following steps. If the value has a name already, keeps that name. */
  name<A>(value: A, name: string): A {
    if (!this.names.has(value)) this.names.set(value, name)
    return value
  }

  /** Names a generated value, and introduces the name in reports that use it. */
  declare(value: unknown, name: string, text = fc.stringify(value)): void {
    this.declarations.set(this.lines.length, name)
    this.note(`const ${name} = ${text}`)
    // Equal primitives would share a name.
    if (Object(value) === value || typeof value === "symbol") this.name(value, name)
  }

  show(value: unknown): string {
    const name = this.names.get(value)
    if (name !== undefined) return name
    try {
      return Array.isArray(value) ? `[${value.map((element) => this.show(element)).join(", ")}]` : format(value)
    } catch {
      // Every operation on a value under test can throw.
      return `a value of type ${typeof value}`
    }
  }

  /** Records a step without running anything. */
  note(step: string): void {
    this.lines.push(step)
  }

  /** Records a step and runs it. A step that throws breaks the law. */
  step<A>(step: string, run: () => A): A {
    this.note(step)
    try {
      return run()
    } catch (error) {
      throw this.violation(`threw ${this.show(error)}`, error)
    }
  }

  /** Runs a step, and records it only if it throws. */
  quietly<A>(step: string, run: () => A): A {
    try {
      return run()
    } catch (error) {
      this.note(step)
      throw this.violation(`threw ${this.show(error)}`, error)
    }
  }

  /** Runs a step that must return the expected value. */
  expect(step: string, run: () => unknown, expected: unknown): void {
    const actual = this.step(step, run)
    if (!Object.is(actual, expected)) {
      throw this.violation(`returned ${this.show(actual)}, expected ${this.show(expected)}`)
    }
  }

  /** Returns the error to throw if the last step broke the law. */
  violation(reason: string, cause?: unknown): Error {
    const last = this.lines.length - 1
    const steps = this.lines.map((line, index) => index === last ? `${line} // ${reason}` : line)
    const trace = steps.filter((_, index) => {
      const name = this.declarations.get(index)
      return name === undefined || steps.some((step, other) => other !== index && mentions(step, name))
    })
    return new Violation(trace.length === 0 ? [`// ${reason}`] : trace, cause)
  }
}

const mentions = (step: string, name: string): boolean => new RegExp(`\\b${name}\\b`).test(step)

/** Makes a law that holds if no generated value makes `holds` throw. */
export const check = <A>(
  name: string,
  arbitrary: fc.Arbitrary<A>,
  holds: (trace: Trace, value: A) => void | Promise<void>,
  /** Limits the runs of a slow property. */
  maxRuns = Infinity
): Check => ({
  name,
  run: async ({ numRuns = 100, path, seed }, signal) => {
    const property = fc.asyncProperty(arbitrary, async (value) => {
      // fast-check cannot be interrupted, so the remaining runs do nothing.
      if (!signal.aborted) await holds(new Trace(), value)
    })
    const details = await fc.check(property, {
      numRuns: Math.min(numRuns, maxRuns),
      ...seed === undefined ? {} : { seed },
      ...path === undefined ? {} : { path }
    })
    if (!details.failed) return undefined
    const error = details.errorInstance
    const violation = error instanceof Violation ? error : new Violation([`// threw ${format(error)}`], error)
    return {
      counterexample: details.counterexample?.[0],
      trace: violation.trace,
      seed: details.seed,
      path: details.counterexamplePath ?? "",
      cause: violation.cause
    }
  }
})
