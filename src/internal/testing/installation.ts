/**
 * Replaces the global constructors with those of a test heap, and restores them.
 *
 * Installations on the same object may overlap, and may end in any order. So each object has a stack of
 * installations. The newest one that has not ended decides the properties.
 */
import type { Heap } from "../../Heap.ts"
import { HostWeakMap } from "./simulatedCollector.ts"

const names = ["WeakRef", "WeakMap", "FinalizationRegistry"] as const

type Descriptors = ReadonlyArray<readonly [name: string, descriptor: PropertyDescriptor | undefined]>

interface Stack {
  /** The properties before the oldest installation. */
  readonly saved: Descriptors
  readonly heaps: Array<Heap>
}

const stacks = /*#__PURE__*/ new HostWeakMap<object, Stack>()

/** The installations of each heap that have not ended, or `undefined` if the heap must not be installed any more. */
const installations = /*#__PURE__*/ new HostWeakMap<Heap, Set<() => void> | undefined>()

/** Installs a heap, and returns a function that ends the installation. */
export const install = (heap: Heap, target: object): () => void => {
  if (Object(target) !== target) throw new TypeError("TestHeap.install: the target must be an object")
  if (installations.has(heap) && installations.get(heap) === undefined) {
    throw new Error("TestHeap.install: the run to which this test heap belongs is over")
  }
  const saved = names.map((name) => [name, Reflect.getOwnPropertyDescriptor(target, name)] as const)
  for (const [name, descriptor] of saved) {
    if (descriptor === undefined ? !Object.isExtensible(target) : !descriptor.configurable) {
      throw new TypeError(`TestHeap.install: cannot replace the property ${name} of the object`)
    }
  }
  const stack = stacks.get(target) ?? { saved, heaps: [] }
  stacks.set(target, stack)
  stack.heaps.push(heap)
  define(target, stack)
  const end = () => {
    ofHeap.delete(end)
    const index = stack.heaps.lastIndexOf(heap)
    if (index === -1) return
    stack.heaps.splice(index, 1)
    define(target, stack)
    if (stack.heaps.length === 0) stacks.delete(target)
  }
  const ofHeap = installations.get(heap) ?? new Set()
  installations.set(heap, ofHeap)
  ofHeap.add(end)
  return end
}

/** Ends every installation of a heap, and refuses new ones. */
export const endInstallations = (heap: Heap): void => {
  for (const end of installations.get(heap) ?? []) end()
  installations.set(heap, undefined)
}

const define = (target: object, { heaps, saved }: Stack): void => {
  const heap = heaps.at(-1)
  if (heap === undefined) {
    for (const [name, descriptor] of saved) {
      if (descriptor === undefined) Reflect.deleteProperty(target, name)
      else Object.defineProperty(target, name, descriptor)
    }
    return
  }
  for (const name of names) {
    Object.defineProperty(target, name, { value: heap[name], writable: true, enumerable: false, configurable: true })
  }
}
