/**
 * Tools for tests: a heap that collects when the test says so, and a detector of leaks on
 * the real heap.
 *
 * The modules `Laws` and `Arbitraries` need `fast-check`, so they have subpaths of their
 * own: `effect-weakref/testing/Laws` and `effect-weakref/testing/Arbitraries`.
 *
 * @stability experimental
 * @since 0.1.0
 */
export * as LeakDetector from "./LeakDetector.ts"
export * as TestHeap from "./TestHeap.ts"
