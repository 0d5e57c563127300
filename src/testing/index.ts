/**
 * What a test suite needs: a heap that it collects by hand, and a detector of
 * leaks on the real one.
 *
 * @since 0.1.0
 */
export * as LeakDetector from "./LeakDetector.ts"
export * as TestHeap from "./TestHeap.ts"
