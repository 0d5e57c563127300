/**
 * Listeners that hold their receivers weakly: those of a hub, and those of an event
 * target or emitter.
 *
 * A function may capture its receiver, and its services may hold the receiver too.
 * Therefore both are in an ephemeron of the receiver. Nothing else in this file holds
 * them: neither the hub, nor the target, nor a registry, nor a handle.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { constVoid } from "effect/Function"
import * as Hash from "effect/Hash"
import { isFunction } from "effect/Predicate"
import { type Heap, isWeakReferenceable } from "../Heap.ts"
import { NotWeakReferenceableError } from "../WeakError.ts"
import { Base } from "./base.ts"
import { inBackground, reported, withServices } from "./callbacks.ts"
import { notMethod } from "./method.ts"
import { printed } from "./print.ts"
import { refuse } from "./refuse.ts"
import { inSlices, makeRegistry } from "./registry.ts"

/** How many dead receivers of a hub are cleaned up in a turn. */
const reclaimedPerTurn = 2048

/** As `reclaimedPerTurn`, and never more, for a target. An emitter searches its list for each listener that it removes. */
const removedPerTurn = 256

/** What a listener does with an event, and the services that it does it with. */
export interface Reaction {
  readonly f: (this: unknown, ...args: ReadonlyArray<unknown>) => unknown
  /** Whether `f` takes its receiver as `this` instead of as the first argument. */
  readonly isMethod: boolean
  readonly context: Context.Context<never>
}

/** Creates the reaction of a function. Throws a `TypeError` if it is not a function. */
export const reactionOf = (f: unknown, context: Context.Context<never>): Reaction => {
  if (!isFunction(f)) throw new TypeError(`A listener must be a function, but it is ${printed(f)}`)
  // `react` calls `f` with the arguments that the public signatures promise.
  return { f: f as Reaction["f"], isMethod: false, context }
}

/** Reads a method of a receiver. Throws a `NotWeakReferenceableError` as `WeakMethod` does. */
export const methodOf = (receiver: WeakKey, key: PropertyKey, context: Context.Context<never>): Reaction => {
  check(receiver)
  // Every object has properties, and the value is checked next.
  const method: unknown = receiver[key as keyof typeof receiver]
  if (!isFunction(method)) throw notMethod(method, key)
  return { f: method as Reaction["f"], isMethod: true, context }
}

const react = ({ f, isMethod }: Reaction, receiver: WeakKey, args: ReadonlyArray<unknown>): unknown =>
  isMethod ? Reflect.apply(f, receiver, args) : f(receiver, ...args)

const check = (receiver: unknown): void => {
  if (!isWeakReferenceable(receiver)) throw new NotWeakReferenceableError({ value: receiver })
}

const HubTypeId = "~effect-weakref/WeakListeners"
const ListenerTypeId = "~effect-weakref/Listener"

/** A handle of one listener. Holds the receiver weakly. */
export abstract class ListenerImpl extends Base {
  static of(value: unknown): ListenerImpl {
    return value instanceof ListenerImpl ? value : refuse(value, ListenerTypeId)
  }

  get [ListenerTypeId](): true {
    return true
  }

  /** Removes the listener. Returns whether it was there. */
  abstract stop(): boolean

  [Equal.symbol](that: unknown): boolean {
    return this === that
  }

  [Hash.symbol](): number {
    return Hash.random(this)
  }

  toJSON(): unknown {
    return { _id: "Listener" }
  }
}

/** A receiver of a hub. The registry of the hub holds it, so it must not hold a reaction. */
interface Member {
  readonly ref: globalThis.WeakRef<WeakKey>
  slots: ReadonlyArray<Slot>
}

interface Ephemeron {
  readonly member: Member
  /** The reactions of the slots with the same indexes. */
  reactions: ReadonlyArray<Reaction>
}

/** A listener of a hub. */
class Slot extends ListenerImpl {
  declare readonly hub: Hub<any>
  declare readonly member: Member
  declare index: number
  declare readonly serial: number

  constructor(hub: Hub<any>, member: Member, serial: number) {
    super()
    this.hub = hub
    this.member = member
    this.index = member.slots.length
    this.serial = serial
  }

  stop(): boolean {
    return this.hub.stop(this)
  }
}

export class Hub<Event> extends Base {
  readonly #heap: Heap
  /** All listeners in the order of adding. The iterators of a `Set` tolerate insertion and deletion. */
  readonly #slots = new Set<Slot>()
  readonly #ephemerons: WeakMap<WeakKey, Ephemeron>
  /** The hub owns its registry, so that a hub that is dropped leaves nothing behind. */
  readonly #registry: FinalizationRegistry<Member>
  #added = 0

  constructor(heap: Heap) {
    super()
    this.#heap = heap
    this.#ephemerons = new heap.WeakMap()
    this.#registry = makeRegistry<Member>(
      heap,
      inSlices(reclaimedPerTurn, (member) => member.slots.forEach((slot) => this.#slots.delete(slot)))
    )
  }

  static of<Event>(value: unknown): Hub<Event> {
    // The type parameter of a hub exists at compile time only.
    return value instanceof Hub ? value as Hub<Event> : refuse(value, HubTypeId)
  }

  get [HubTypeId](): { readonly _Event: (_: Event) => Event } {
    return variance
  }

  add(receiver: WeakKey, reaction: Reaction): ListenerImpl {
    const ephemeron = this.#ephemerons.get(receiver) ?? this.#insert(receiver)
    const { member, reactions } = ephemeron
    const known = reactions.findIndex(({ f, isMethod }) => f === reaction.f && isMethod === reaction.isMethod)
    if (known !== -1) return member.slots[known]!
    const slot = new Slot(this, member, ++this.#added)
    // `concat` reserves no space, as `push` and a spread do, and most receivers have one listener.
    member.slots = member.slots.concat(slot)
    ephemeron.reactions = reactions.concat(reaction)
    this.#slots.add(slot)
    return slot
  }

  #insert(receiver: WeakKey): Ephemeron {
    check(receiver)
    const ephemeron: Ephemeron = { member: { ref: new this.#heap.WeakRef(receiver), slots: [] }, reactions: [] }
    this.#ephemerons.set(receiver, ephemeron)
    this.#registry.register(receiver, ephemeron.member, ephemeron.member)
    return ephemeron
  }

  remove(receiver: WeakKey): boolean {
    const ephemeron = this.#ephemerons.get(receiver)
    if (ephemeron === undefined) return false
    for (const slot of ephemeron.member.slots) this.#slots.delete(slot)
    this.#forget(receiver, ephemeron.member)
    return true
  }

  #forget(receiver: WeakKey, member: Member): void {
    this.#ephemerons.delete(receiver)
    this.#registry.unregister(member)
  }

  stop(slot: Slot): boolean {
    if (!this.#slots.delete(slot)) return false
    const { index, member } = slot
    const receiver = member.ref.deref()
    if (receiver === undefined) return true
    if (member.slots.length === 1) {
      this.#forget(receiver, member)
      return true
    }
    const ephemeron = this.#ephemerons.get(receiver)!
    member.slots = member.slots.toSpliced(index, 1)
    ephemeron.reactions = ephemeron.reactions.toSpliced(index, 1)
    for (let i = index; i < member.slots.length; i++) member.slots[i]!.index = i
    return true
  }

  publish(event: Event): Effect.Effect<void> {
    return Effect.suspend(() => {
      const last = this.#added
      const slots = this.#slots.values()
      let slot: Slot
      return Effect.whileLoop({
        while: () => {
          const step = slots.next()
          if (step.done === true || step.value.serial > last) return false
          slot = step.value
          return true
        },
        body: () => this.#call(slot, event),
        step: constVoid
      })
    })
  }

  /** Calls one listener. A plain function, so that no fiber holds the receiver afterwards. */
  #call(slot: Slot, event: Event): Effect.Effect<unknown> {
    const receiver = slot.member.ref.deref()
    if (receiver === undefined) return Effect.void
    const reaction = this.#ephemerons.get(receiver)!.reactions[slot.index]!
    try {
      const result = react(reaction, receiver, [event])
      return Effect.isEffect(result) ? reported(withContext(result, reaction.context)) : Effect.void
    } catch (error) {
      return reported(Effect.die(error))
    }
  }

  get size(): number {
    return this.#slots.size
  }

  [Equal.symbol](that: unknown): boolean {
    return this === that
  }

  [Hash.symbol](): number {
    return Hash.random(this)
  }

  toJSON(): unknown {
    return { _id: "WeakListeners", size: this.size }
  }
}

const variance = { _Event: <Event>(_: Event) => _ }

const withContext = <A, E>(
  effect: Effect.Effect<A, E, any>,
  context: Context.Context<never>
): Effect.Effect<A, E> =>
  Effect.updateContext(
    effect as Effect.Effect<A, E>,
    (current: Context.Context<never>) => withServices(current, context)
  )

/** The names of the methods that add and remove a listener. The first names that a target has are used. */
const pairs = [
  ["addEventListener", "removeEventListener"],
  ["on", "off"],
  ["on", "removeListener"]
] as const

/** Any event target or emitter. Each method is called with the arguments that its kind of target takes. */
type Target = Record<string, (...args: ReadonlyArray<unknown>) => unknown>

/** The registry of each target with listeners. A target owns its registry, so that it leaves nothing behind. */
const registries = /*#__PURE__*/ new WeakMap<Heap, WeakMap<WeakKey, FinalizationRegistry<TargetListener>>>()

const registryOf = (target: WeakKey, heap: Heap): FinalizationRegistry<TargetListener> => {
  let byTarget = registries.get(heap)
  if (byTarget === undefined) registries.set(heap, byTarget = new heap.WeakMap())
  let registry = byTarget.get(target)
  if (registry === undefined) {
    registry = makeRegistry(
      heap,
      inSlices<TargetListener>(removedPerTurn, (listener) => listener.reclaim(), removedPerTurn, 0)
    )
    byTarget.set(target, registry)
  }
  return registry
}

/**
 * A listener of an event target or emitter. Holds the target weakly, because the receiver
 * may hold this handle, and must not keep every target alive that it has listened to.
 */
class TargetListener extends ListenerImpl {
  readonly #target: globalThis.WeakRef<WeakKey>
  readonly #receiver: globalThis.WeakRef<WeakKey>
  #ephemeron: WeakMap<WeakKey, Reaction> | undefined
  readonly #heap: Heap
  readonly #remove: string
  readonly #args: ReadonlyArray<unknown>

  constructor(
    target: Target,
    [add, remove]: readonly [string, string],
    args: ReadonlyArray<unknown>,
    receiver: WeakKey,
    reaction: Reaction,
    heap: Heap
  ) {
    super()
    this.#target = new heap.WeakRef(target)
    this.#receiver = new heap.WeakRef(receiver)
    this.#ephemeron = new heap.WeakMap([[receiver, reaction]])
    this.#heap = heap
    this.#remove = remove
    const [type, ...options] = args
    this.#args = [type, listenerOf(this), ...options]
    target[add]!(...this.#args)
    // Registers last, so that nothing is left behind if the target throws.
    registryOf(target, heap).register(receiver, this, this)
  }

  receive(args: ReadonlyArray<unknown>): unknown {
    const receiver = this.#receiver.deref()
    const reaction = receiver === undefined ? undefined : this.#ephemeron?.get(receiver)
    if (receiver === undefined || reaction === undefined) return void this.stop()
    const result = react(reaction, receiver, args)
    return Effect.isEffect(result) ? void inBackground(result, reaction.context as Context.Context<unknown>) : result
  }

  /** Removes the listener after the receiver has been collected. Must not throw, because it is a clean-up. */
  reclaim(): void {
    try {
      this.stop()
    } catch (error) {
      inBackground(Effect.die(error), Context.empty())
    }
  }

  stop(): boolean {
    if (this.#ephemeron === undefined) return false
    this.#ephemeron = undefined
    const target = this.#target.deref()
    if (target === undefined) return false
    registryOf(target, this.#heap).unregister(this)
    // The constructor has checked that the target has this method.
    const methods = target as Target
    methods[this.#remove]!(...this.#args)
    return true
  }
}

// A separate function, because the target holds every value that this closure captures.
const listenerOf = (self: TargetListener) => (...args: ReadonlyArray<unknown>): unknown => self.receive(args)

/** Adds a listener to an event target or emitter. Throws a `TypeError` if the target is neither. */
export const listen = (
  target: unknown,
  type: string | symbol,
  options: object | undefined,
  receiver: WeakKey,
  reaction: Reaction,
  heap: Heap
): ListenerImpl => {
  check(receiver)
  // The search checks the methods that are called later.
  const methods = target as Target
  const pair = isWeakReferenceable(target)
    ? pairs.find(([add, remove]) => isFunction(methods[add]) && isFunction(methods[remove]))
    : undefined
  if (pair === undefined) {
    throw new TypeError(
      `A target must have addEventListener and removeEventListener, or on and off, but it is ${printed(target)}`
    )
  }
  // Some emitters take a third argument for another purpose.
  const hasOptions = options !== undefined && pair[0] === "addEventListener"
  return new TargetListener(methods, pair, hasOptions ? [type, options] : [type], receiver, reaction, heap)
}
