/**
 * Weak references for Effect applications.
 *
 * @since 0.1.0
 */
export * as Finalizer from "./Finalizer.ts"
export * as Heap from "./Heap.ts"
export * as Interner from "./Interner.ts"
export * as LeakMonitor from "./LeakMonitor.ts"
export * as WeakCache from "./WeakCache.ts"
export * as WeakError from "./WeakError.ts"
export * as WeakKeyMap from "./WeakKeyMap.ts"
export * as WeakListeners from "./WeakListeners.ts"
export * as WeakMemo from "./WeakMemo.ts"
export * as WeakMethod from "./WeakMethod.ts"
export * as WeakProxy from "./WeakProxy.ts"
export * as WeakRef from "./WeakRef.ts"
export * as WeakSet from "./WeakSet.ts"
export * as WeakValueMap from "./WeakValueMap.ts"
